/**
 * Does things at most so many times a second: of those that come in between only the last is done,
 * when its time has come.
 */
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
