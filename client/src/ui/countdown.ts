/** A quiet ring around the dot: how long until the next dream. */
import { StatusEvent_Dreamer as Dreamer, type StatusEvent } from "../gen/dreamcanvas_pb";

/**
 * The ring's end moves about two pixels in this time. A CSS animation would have the page drawn at
 * every frame.
 */
const TICK_MS = 100;

export class Countdown {
  private readonly rest: SVGCircleElement;
  private readonly now: () => number;
  private readonly stillness = matchMedia("(prefers-reduced-motion: reduce)");
  private timer: ReturnType<typeof setInterval> | undefined;
  private next = 0;
  private whole = 0;

  /** `now` is the server's time, ms since 1970. */
  constructor(now: () => number) {
    const rest = document.getElementById("rest");
    if (!(rest instanceof SVGCircleElement)) throw new Error("the page has no circle #rest");
    this.rest = rest;
    this.now = now;
  }

  show(status: StatusEvent | undefined): void {
    const dreams = status?.dreamer === Dreamer.WAITING || status?.dreamer === Dreamer.DREAMING;
    const next = dreams ? Number(status.nextDream) : 0;
    if (next === this.next) return;
    this.next = next;
    this.whole = next - this.now();
    clearInterval(this.timer);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.tick();
  }

  private tick(): void {
    const left = this.next - this.now();
    if (left <= 0) clearInterval(this.timer);
    // Where motion is not wanted, the whole ring is shown until the dream comes.
    const share = this.stillness.matches ? 1 : left / this.whole;
    this.rest.style.visibility = left > 0 ? "visible" : "hidden";
    this.rest.style.strokeDasharray = `${share} 1`;
  }
}
