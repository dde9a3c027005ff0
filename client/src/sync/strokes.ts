/**
 * One's own strokes, the newest last: which can be taken back (pure; the caller brings the time in
 * milliseconds).
 */

export interface Own {
  readonly number: number;
  /** When its last dab was drawn. */
  drawn: number;
  /** Whether any of it was sent. */
  sent: boolean;
}

/** More than anybody can draw in the time in which a stroke can be taken back. */
const KEPT = 500;
/** Time for the call to arrive, so that the server does not have to say that it is too late. */
const MARGIN_MS = 1500;

export class Strokes {
  private strokes: Own[] = [];
  private newest = 0;
  private seconds = 60;

  /** From now on a stroke can be taken back for so many seconds; 0 is no limit. */
  limit(seconds: number): void {
    this.seconds = seconds;
  }

  /** Returns a number that no stroke of the session has had. */
  next(): number {
    this.newest += 1;
    return this.newest;
  }

  /** The number of the newest stroke. */
  get latest(): number {
    return this.newest;
  }

  /** Takes over the strokes from before a reload, and the number of the newest. */
  restore(strokes: readonly Omit<Own, "sent">[], newest: number): void {
    this.newest = Math.max(this.newest, newest);
    const numbers = new Set(this.strokes.map(({ number }) => number));
    const before = strokes.filter(({ number }) => !numbers.has(number));
    this.strokes = [...before.map((each) => ({ ...each, sent: true })), ...this.strokes].slice(
      -KEPT,
    );
  }

  /** The strokes that the server knows of and can take back. */
  kept(now: number): readonly Own[] {
    return this.strokes.filter((each) => each.sent && !this.isOld(each, now));
  }

  /** Finds a stroke by its number; undefined where nothing of it can be taken back. */
  find(number: number): Own | undefined {
    return this.strokes.find((each) => each.number === number);
  }

  /** Dabs were added to a stroke. */
  drawn(number: number, now: number): void {
    const last = this.strokes.at(-1);
    if (last?.number === number) {
      last.drawn = now;
      return;
    }
    this.strokes.push({ number, drawn: now, sent: false });
    if (this.strokes.length > KEPT) this.strokes.shift();
  }

  /** A part of a stroke was sent. */
  sent(number: number): void {
    const stroke = this.find(number);
    if (stroke) stroke.sent = true;
  }

  /** Forgets a stroke of which nothing can be taken back any more. */
  forget(number: number): void {
    this.strokes = this.strokes.filter((each) => each.number !== number);
  }

  /** The newest stroke that can be taken back, and whether the server knows of it. */
  last(now: number): { readonly number: number; readonly sent: boolean } | undefined {
    const stroke = this.strokes.at(-1);
    if (!stroke) return undefined;
    return stroke.sent && this.isOld(stroke, now) ? undefined : stroke;
  }

  private isOld({ drawn }: Own, now: number): boolean {
    return this.seconds > 0 && now - drawn > this.seconds * 1000 - MARGIN_MS;
  }
}
