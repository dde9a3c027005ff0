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

  /** A message of the server's time came now, by our clock. */
  heard(theirs: number, ours: number): void {
    if (theirs <= 0) return;
    this.differences.push(ours - theirs);
    if (this.differences.length > KEPT) this.differences.shift();
  }

  /** The server's time at our time. */
  at(ours: number): number {
    return this.differences.length > 0 ? ours - Math.min(...this.differences) : ours;
  }
}
