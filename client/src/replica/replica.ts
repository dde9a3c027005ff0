/**
 * The page's own copy of the shared canvas (pure: no DOM, no network, no clock).
 *
 * What is shown is base picture + confirmed operations in the order of their seq + own ink that the
 * server has not numbered yet (provisional), in the order in which it was drawn. Confirmed
 * operations may come in any order and more than once: what is ahead of a gap waits until the gap
 * is filled.
 *
 * Two pictures are kept. `confirmed` has no provisional ink; `shown` has. Own ink that is confirmed
 * in the order in which it was drawn changes nothing on the screen: it only moves from one into the
 * other.
 */
import { covers, type Dab, drawDab } from "./brush";
import { drawPatch, type Patch, patchCovers } from "./patch";
import { Pixels } from "./pixels";
import { EMPTY, intersects, isEmpty, type Rect, union } from "./rect";

export interface Operation {
  /** The server's number of the operation. */
  readonly seq: number;
  /** The public number of who made it. */
  readonly author: number;
  readonly stroke: number;
  readonly content: { readonly dab: Dab } | { readonly patch: Patch };
}

/**
 * Dabs of one's own that are confirmed together. Two of them are the same ink only if they are the
 * same object.
 */
export interface Ink {
  readonly stroke: number;
  readonly dabs: readonly Dab[];
}

export interface ReplicaListener {
  /**
   * This area of `shown` changed; where `dab` is given, by this dab laid on top and nothing else.
   */
  drawn(area: Rect, dab?: Dab): void;
  /** Another base comes: `shown` still is what it was. */
  rebasing(): void;
  /** All of `shown` may have changed. */
  rebased(): void;
}

interface Provisional {
  readonly ink: Ink;
  /** How many of its first dabs are confirmed already. */
  settled: number;
  bounds: Rect;
}

interface Waiting {
  readonly operation: Operation;
  /** The provisional ink that it confirms. */
  readonly ink?: Ink;
}

/**
 * So many operations are kept for laying them on the next dream; without older ones a dream can't
 * be laid.
 */
const KEPT_OPERATIONS = 200_000;

export class Replica {
  readonly shown: Pixels;
  private readonly confirmed: Pixels;
  private readonly listener: ReplicaListener | undefined;
  private provisional: Provisional[] = [];
  private readonly waiting = new Map<number, Waiting>();
  private operations: Operation[] = [];
  /** Operations after this number are in `operations`, up to `lastSeq`. */
  private floor = 0;
  private lastSeq = 0;
  private baseDream = 0;
  /** Between `hold` and `release` or `reset`: what comes is kept and not shown. */
  private holding = false;
  /** What of `shown` is to be made anew. */
  private repaintArea: Rect = EMPTY;

  constructor(width: number, height: number, listener?: ReplicaListener) {
    this.shown = new Pixels(width, height);
    this.confirmed = new Pixels(width, height);
    this.listener = listener;
  }

  /** The number of the last confirmed operation that is shown. */
  get seq(): number {
    return this.lastSeq;
  }

  /** The number of the dream that is the base. */
  get dream(): number {
    return this.baseDream;
  }

  /** Whether confirmed operations wait for one that is missing. */
  get gap(): boolean {
    return !this.holding && this.waiting.size > 0;
  }

  /**
   * Draws own ink that has no number yet. `dabs` are the ones that were added to `ink` since the
   * last time.
   */
  draw(ink: Ink, dabs: readonly Dab[]): void {
    let entry = this.entry(ink);
    if (!entry) {
      entry = { ink, settled: 0, bounds: EMPTY };
      this.provisional.push(entry);
    }
    for (const dab of dabs) {
      entry.bounds = union(entry.bounds, covers(dab));
      drawDab(this.shown, dab);
      this.listener?.drawn(covers(dab), dab);
    }
  }

  /** Takes own ink away that was refused, or that has come as operations of the server. */
  discard(ink: Ink): void {
    const entry = this.entry(ink);
    if (!entry) return;
    this.remove(entry);
    this.repaintArea = union(this.repaintArea, entry.bounds);
    this.repaint();
  }

  /** Confirms own ink: its dabs have consecutive numbers up to `last`. */
  settle(ink: Ink, author: number, last: number): void {
    const first = last - ink.dabs.length + 1;
    ink.dabs.forEach((dab, i) => {
      const operation = { seq: first + i, author, stroke: ink.stroke, content: { dab } };
      if (this.holding || operation.seq > this.lastSeq) {
        this.waiting.set(operation.seq, { operation, ink });
      } else {
        this.dropSettled(ink);
      }
    });
    this.drain();
  }

  /** Takes a confirmed operation in. One that is known already is passed over. */
  receive(operation: Operation): void {
    if (!this.holding && operation.seq <= this.lastSeq) return;
    if (this.waiting.has(operation.seq)) return;
    this.waiting.set(operation.seq, { operation });
    this.drain();
  }

  /**
   * From now on what comes is kept, whatever its number, and shown only after `release` or `reset`.
   */
  hold(): void {
    this.holding = true;
  }

  /** Ends `hold`, on the same base. */
  release(): void {
    this.holding = false;
    this.forgetWaiting(this.lastSeq);
    this.drain();
    this.repaint();
  }

  /** Forgets the operations that wait for a missing one, when the server no longer has that. */
  forget(): void {
    for (const { ink } of this.waiting.values()) {
      if (ink) this.discard(ink);
    }
    this.waiting.clear();
  }

  /** Whether an operation of this number waits. */
  waits(seq: number): boolean {
    return this.waiting.has(seq);
  }

  /**
   * The dabs of an author that wait and are not known to be provisional ink, in order, up to
   * `last`.
   */
  unclaimed(author: number, last: number): Operation[] {
    const found: Operation[] = [];
    for (const { operation, ink } of this.waiting.values()) {
      if (
        !ink &&
        operation.author === author &&
        operation.seq > this.lastSeq &&
        operation.seq <= last
      ) {
        found.push(operation);
      }
    }
    return found.sort((a, b) => a.seq - b.seq);
  }

  /**
   * Whether all operations after `seq` are kept: they are needed on a picture that contains those
   * up to `seq`.
   */
  canLay(seq: number): boolean {
    return seq >= this.floor;
  }

  /** Forgets the operations up to `seq`: every dream that may still be laid contains them. */
  trim(seq: number): void {
    if (seq <= this.floor) return;
    this.operations = this.operations.filter((operation) => operation.seq > seq);
    this.floor = Math.min(seq, this.lastSeq);
  }

  /**
   * Makes another dream the base, with the operations after `seq` laid on it. Throws RangeError
   * where they are no longer kept.
   */
  lay(base: Pixels, dream: number, seq: number): void {
    if (!this.canLay(seq))
      throw new RangeError(`operations after ${seq} are needed, after ${this.floor} held`);
    this.listener?.rebasing();
    this.trim(seq);
    this.rebase(base, dream, seq);
  }

  /** Starts anew from a picture that contains the operations up to `seq`, and ends `hold`. */
  reset(base: Pixels, dream: number, seq: number): void {
    this.listener?.rebasing();
    this.holding = false;
    this.operations = [];
    this.floor = seq;
    this.lastSeq = seq;
    this.rebase(base, dream, seq);
  }

  private rebase(base: Pixels, dream: number, seq: number): void {
    this.baseDream = dream;
    this.confirmed.copy(base);
    if (seq > this.lastSeq) {
      this.lastSeq = seq;
      this.floor = seq;
    }
    for (const operation of this.operations) apply(this.confirmed, operation);
    this.forgetWaiting(seq);
    while (this.waiting.has(this.lastSeq + 1) && !this.holding) this.confirmNext();
    this.repaintArea = EMPTY;
    this.shown.copy(this.confirmed);
    for (const { ink, settled } of this.provisional) {
      for (const dab of ink.dabs.slice(settled)) drawDab(this.shown, dab);
    }
    this.listener?.rebased();
  }

  /** Drops what waits of the operations up to `seq`: they are in the picture. */
  private forgetWaiting(seq: number): void {
    for (const [number, { ink }] of this.waiting) {
      if (number > seq) continue;
      if (ink) this.dropSettled(ink);
      this.waiting.delete(number);
    }
  }

  private drain(): void {
    if (this.holding) return;
    while (true) {
      const next = this.waiting.get(this.lastSeq + 1);
      if (!next) break;
      const entry = next.ink && this.entry(next.ink);
      const inOrder = entry !== undefined && entry === this.provisional[0];
      this.confirmNext();
      if (inOrder) continue;
      const area = operationCovers(next.operation);
      if (entry || this.provisional.some(({ bounds }) => intersects(bounds, area))) {
        this.repaintArea = union(this.repaintArea, area);
        continue;
      }
      apply(this.shown, next.operation);
      this.listener?.drawn(
        area,
        "dab" in next.operation.content ? next.operation.content.dab : undefined,
      );
    }
    this.repaint();
  }

  /** Moves the next operation in order from what waits into `confirmed`. */
  private confirmNext(): void {
    const seq = this.lastSeq + 1;
    const { operation, ink } = this.waiting.get(seq) as Waiting;
    this.waiting.delete(seq);
    this.lastSeq = seq;
    this.operations.push(operation);
    if (this.operations.length > KEPT_OPERATIONS) {
      this.trim(this.operations[KEPT_OPERATIONS >> 1].seq);
    }
    apply(this.confirmed, operation);
    const entry = ink && this.entry(ink);
    if (entry) this.advance(entry);
  }

  /** Counts one more dab of own ink as confirmed that came with the picture or earlier. */
  private dropSettled(ink: Ink): void {
    const entry = this.entry(ink);
    if (!entry) return;
    this.repaintArea = union(this.repaintArea, covers(ink.dabs[entry.settled]));
    this.advance(entry);
  }

  private advance(entry: Provisional): void {
    entry.settled += 1;
    if (entry.settled === entry.ink.dabs.length) this.remove(entry);
  }

  private entry(ink: Ink): Provisional | undefined {
    return this.provisional.find((p) => p.ink === ink);
  }

  private remove(entry: Provisional): void {
    this.provisional = this.provisional.filter((p) => p !== entry);
  }

  /** Makes an area of `shown` again from `confirmed` and the provisional ink. */
  private repaint(): void {
    const area = this.repaintArea;
    this.repaintArea = EMPTY;
    if (isEmpty(area)) return;
    this.shown.copyRect(this.confirmed, area);
    for (const { ink, settled, bounds } of this.provisional) {
      if (!intersects(bounds, area)) continue;
      for (let i = settled; i < ink.dabs.length; i++) drawDab(this.shown, ink.dabs[i], area);
    }
    this.listener?.drawn(area);
  }
}

function operationCovers({ content }: Operation): Rect {
  return "dab" in content ? covers(content.dab) : patchCovers(content.patch);
}

function apply(pixels: Pixels, { content }: Operation): void {
  if ("dab" in content) drawDab(pixels, content.dab);
  else drawPatch(pixels, content.patch);
}
