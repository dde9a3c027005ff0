/** A token bucket (pure; the caller brings the time in milliseconds). */
export class Bucket {
  private readonly rate: number;
  readonly capacity: number;
  private tokens: number;
  private at: number;

  /** `rate` per second in the long run, `capacity` at once. A rate of 0 is no limit. */
  constructor(rate: number, capacity: number, now: number) {
    this.rate = rate;
    this.capacity = rate === 0 ? Number.POSITIVE_INFINITY : Math.max(capacity, 1);
    this.tokens = this.capacity;
    this.at = now;
  }

  /**
   * Takes `count` tokens and gives 0, or takes none and gives the milliseconds until there are
   * enough.
   */
  take(count: number, now: number): number {
    if (this.rate === 0) return 0;
    this.tokens = Math.min(
      this.capacity,
      this.tokens + (Math.max(0, now - this.at) * this.rate) / 1000,
    );
    this.at = now;
    if (count <= this.tokens) {
      this.tokens -= count;
      return 0;
    }
    return Math.ceil(((count - this.tokens) * 1000) / this.rate);
  }
}
