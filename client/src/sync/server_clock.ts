/**
 * Guesses the server's clock from the times in its messages (pure; the caller brings the time in
 * milliseconds).
 *
 * A message takes a while to arrive, so the least difference that was seen is the best guess. Only
 * the newest are kept, as one of the clocks may be set.
 */
const KEPT = 16;

export class ServerClock {
  private differences: number[] = [];

  /** A message that was sent at `theirs` by the server's clock came at `ours` by this one. */
  heard(theirs: number, ours: number): void {
    if (theirs <= 0) return;
    this.differences.push(ours - theirs);
    if (this.differences.length > KEPT) this.differences.shift();
  }

  /** Returns the server's time at a time of this clock. */
  at(ours: number): number {
    return this.differences.length > 0 ? ours - Math.min(...this.differences) : ours;
  }
}
