/**
 * Own ink on its way to the server (pure; the caller brings the time in milliseconds).
 *
 * One call of paint is under way at a time; what is drawn meanwhile goes with the next. A call
 * keeps its number until the server has answered, also across connections, so that it is applied
 * once however often it is sent. With several calls under way, one that was refused while the
 * connection was lost could not be told from one that was applied: the session's `last_call` counts
 * both.
 */
import type { Dab } from "../replica/brush";
import type { Ink } from "../replica/replica";
import { Bucket } from "./bucket";

/** The bounds that the outbox keeps, of the server's `limits`. 0 is no limit. */
export interface Bounds {
  readonly dabsPerCall: number;
  readonly dabsPerSecond: number;
  readonly dabsBurst: number;
}

/**
 * A call of `paint` with dabs of a stroke, or, where `undoes`, one of `undo` that takes the stroke
 * back.
 */
export class Call implements Ink {
  readonly stroke: number;
  readonly undoes: boolean;
  readonly dabs: Dab[] = [];
  /** The session's number of the call; 0 until it is sent. */
  number = 0;

  constructor(stroke: number, undoes = false) {
    this.stroke = stroke;
    this.undoes = undoes;
  }

  /** How much of the outbox it takes. */
  get weight(): number {
    return this.undoes ? 1 : this.dabs.length;
  }
}

/** So many dabs are kept while they can't be sent. */
export const CAPACITY = 10_000;
const DEFAULT_PER_CALL = 100;
/** So much of the server's rate is used: its clock and this one differ. */
const SHARE = 0.9;

export class Outbox {
  /** Oldest first. Only the first may have a number. */
  private calls: Call[] = [];
  private count = 0;
  private lastNumber = 0;
  private underWay = false;
  private perCall = DEFAULT_PER_CALL;
  private bucket = new Bucket(0, 0, 0);
  private pausedUntil = 0;
  private held = false;

  /** How many dabs, and strokes to take back, wait for the server's answer. */
  get dabs(): number {
    return this.count;
  }

  get full(): boolean {
    return this.count >= CAPACITY;
  }

  bound(bounds: Bounds, now: number): void {
    const { dabsPerCall, dabsPerSecond, dabsBurst } = bounds;
    this.bucket = new Bucket(dabsPerSecond * SHARE, dabsBurst * SHARE, now);
    const most = Math.floor(Math.min(dabsPerCall || DEFAULT_PER_CALL, this.bucket.capacity));
    this.perCall = Math.max(1, most);
  }

  /** Adds dabs of a stroke, as many as there is room for. Returns those by call, in order. */
  add(stroke: number, dabs: readonly Dab[]): { call: Call; added: Dab[] }[] {
    const additions: { call: Call; added: Dab[] }[] = [];
    for (const dab of dabs.slice(0, CAPACITY - this.count)) {
      let call = this.calls.at(-1);
      const closed = !call || call.undoes || call.number > 0 || call.stroke !== stroke;
      if (!call || closed || call.dabs.length >= this.perCall) {
        call = new Call(stroke);
        this.calls.push(call);
      }
      call.dabs.push(dab);
      this.count += 1;
      const last = additions.at(-1);
      if (last?.call === call) last.added.push(dab);
      else additions.push({ call, added: [dab] });
    }
    return additions;
  }

  /** While `held`, no new call is handed out: the newest ink may still be taken back. */
  hold(held: boolean): void {
    this.held = held;
  }

  /**
   * The call to send now, or the milliseconds after which to ask again; undefined where an event
   * has to come first.
   */
  next(now: number): Call | number | undefined {
    const call = this.calls.at(0);
    if (!call || this.underWay || (this.held && call.number === 0)) return undefined;
    if (now < this.pausedUntil) return this.pausedUntil - now;
    const wait = this.bucket.take(call.weight, now);
    if (wait > 0) return wait;
    if (call.number === 0) {
      this.lastNumber += 1;
      call.number = this.lastNumber;
    }
    this.underWay = true;
    return call;
  }

  /** Removes a call that was applied or refused. */
  remove(call: Call): void {
    if (!this.calls.includes(call)) return;
    if (call === this.calls[0]) this.underWay = false;
    this.calls = this.calls.filter((other) => other !== call);
    this.count -= call.weight;
  }

  /** The server refused the call for now: it is sent again after some milliseconds. */
  refused(now: number, retryAfter: number): void {
    this.underWay = false;
    this.pausedUntil = now + retryAfter;
  }

  /** The connection was lost: whether the call under way arrived is not known. */
  lost(): void {
    this.underWay = false;
    this.held = false;
  }

  /**
   * A new connection says which call of the session was applied last. Where that is the one that
   * was under way, it is given back: its dabs are among the replayed operations. Otherwise it is
   * sent again under its number.
   */
  resume(lastCall: number): Call | undefined {
    this.lastNumber = Math.max(this.lastNumber, lastCall);
    this.pausedUntil = 0;
    const call = this.calls.at(0);
    if (!call || call.number === 0 || call.number > lastCall) return undefined;
    this.remove(call);
    return call;
  }

  /** Takes back what the server has of a stroke, after all that was drawn before. */
  undo(stroke: number): void {
    this.calls.push(new Call(stroke, true));
    this.count += 1;
  }

  /** Removes the calls of a stroke that were not sent yet, and returns them. */
  cancel(stroke: number): Call[] {
    const unsent = ({ number, undoes }: Call) => number === 0 && !undoes;
    const cancelled = this.calls.filter((call) => call.stroke === stroke && unsent(call));
    for (const call of cancelled) this.remove(call);
    return cancelled;
  }
}
