/** A quiet ring around the dot: how long until the next dream. */
import { StatusEvent_Dreamer as Dreamer, type StatusEvent } from "../gen/dreamcanvas_pb";

export class Countdown {
  private readonly rest: SVGCircleElement;
  private readonly now: () => number;
  private running: Animation | undefined;
  private next = 0;

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
    this.running?.cancel();
    this.running = undefined;
    const remaining = next - this.now();
    this.rest.style.visibility = remaining > 0 ? "visible" : "hidden";
    if (remaining <= 0) return;
    const gone = { strokeDasharray: "0 1" };
    // Where motion is not wanted, it is there until the dream comes, and does not move.
    const easing = matchMedia("(prefers-reduced-motion: reduce)").matches ? "step-end" : "linear";
    this.running = this.rest.animate([{ strokeDasharray: "1 0" }, gone], {
      duration: remaining,
      fill: "forwards",
      easing,
    });
  }
}
