/** Lets something be done so many times a second; of what comes in between, only the last, and that late. */
export class Throttle {
  private readonly perSecond: () => number;
  private last = Number.NEGATIVE_INFINITY;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(perSecond: () => number) {
    this.perSecond = perSecond;
  }

  run(action: () => void): void {
    clearTimeout(this.timer);
    const wait = this.last + 1000 / this.perSecond() - performance.now();
    if (wait <= 0) this.act(action);
    else this.timer = setTimeout(() => this.act(action), wait);
  }

  private act(action: () => void): void {
    this.last = performance.now();
    action();
  }
}
