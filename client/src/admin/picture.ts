/** The canvas on the operator's page: what it looks like now, and which part of it is chosen. */
import { CANVAS_SIDE, serverPath } from "../browser/server";
import type { Region } from "./api";

export class Picture {
  private readonly frame: HTMLElement;
  private readonly image: HTMLImageElement;
  private readonly mark: HTMLElement;
  private readonly chosen: (region: Region) => void;
  private from: { readonly x: number; readonly y: number } | undefined;
  private current: Region = { x: 0, y: 0, width: CANVAS_SIDE, height: CANVAS_SIDE };

  /** `chosen` is called when somebody has pointed at a place or drawn a rectangle. */
  constructor(
    frame: HTMLElement,
    image: HTMLImageElement,
    mark: HTMLElement,
    chosen: (region: Region) => void,
  ) {
    this.frame = frame;
    this.image = image;
    this.mark = mark;
    this.chosen = chosen;
    frame.addEventListener("pointerdown", (event) => this.begin(event));
    frame.addEventListener("pointermove", (event) => this.drag(event));
    frame.addEventListener("pointerup", (event) => this.end(event));
    frame.addEventListener("pointercancel", () => this.cancel());
    frame.addEventListener("lostpointercapture", () => this.cancel());
  }

  get region(): Region {
    return this.current;
  }

  /** Fetches the picture as it is now. */
  refresh(): void {
    this.image.src = serverPath(`/canvas.jpg?at=${Date.now()}`);
  }

  choose(region: Region): void {
    this.current = region;
    const whole = region.width === CANVAS_SIDE && region.height === CANVAS_SIDE;
    this.mark.hidden = whole;
    this.mark.style.left = `${(100 * region.x) / CANVAS_SIDE}%`;
    this.mark.style.top = `${(100 * region.y) / CANVAS_SIDE}%`;
    this.mark.style.width = `${(100 * region.width) / CANVAS_SIDE}%`;
    this.mark.style.height = `${(100 * region.height) / CANVAS_SIDE}%`;
  }

  private begin(event: PointerEvent): void {
    if (event.button !== 0) return;
    event.preventDefault();
    this.frame.setPointerCapture(event.pointerId);
    this.from = this.at(event);
  }

  private drag(event: PointerEvent): void {
    if (!this.from) return;
    // With another button held, browsers send a move, not a pointerup, when the first one goes up.
    if ((event.buttons & 1) === 0) this.end(event);
    else this.choose(between(this.from, this.at(event)));
  }

  private end(event: PointerEvent): void {
    if (!this.from) return;
    this.choose(between(this.from, this.at(event)));
    this.from = undefined;
    this.chosen(this.current);
  }

  private cancel(): void {
    this.from = undefined;
  }

  private at(event: PointerEvent): { x: number; y: number } {
    const box = this.frame.getBoundingClientRect();
    return {
      x: pixel((event.clientX - box.left) / box.width),
      y: pixel((event.clientY - box.top) / box.height),
    };
  }
}

function pixel(share: number): number {
  return Math.min(CANVAS_SIDE - 1, Math.max(0, Math.floor(share * CANVAS_SIDE)));
}

/** Returns the smallest rectangle that contains two pixels. */
export function between(one: { x: number; y: number }, other: { x: number; y: number }): Region {
  const x = Math.min(one.x, other.x);
  const y = Math.min(one.y, other.y);
  return { x, y, width: Math.abs(one.x - other.x) + 1, height: Math.abs(one.y - other.y) + 1 };
}
