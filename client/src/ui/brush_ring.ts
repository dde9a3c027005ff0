/** The ring that shows where the brush is and how large. */

import { element } from "../browser/dom";
import type { Point } from "../view/view";

/** Below this diameter the ring would hide what it points at. */
const LEAST_PX = 5;
const SHOWN_MS = 700;

export class BrushRing {
  private readonly ring = element("ring", HTMLElement);
  private readonly scale: () => number;
  private at: Point | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `scale` says how many CSS pixels a canvas pixel is wide. */
  constructor(scale: () => number) {
    this.scale = scale;
  }

  /** Shows the ring where the pointer is; hides it where that is undefined, as it left. */
  move(at: Point | undefined, size: number): void {
    this.at = at;
    this.place(at, size);
  }

  /**
   * Shows another size. While the size is being adjusted, the ring is in the middle of the screen.
   */
  resize(size: number, adjusting: boolean): void {
    if (!adjusting) {
      if (this.at) this.place(this.at, size);
      return;
    }
    this.place({ x: innerWidth / 2, y: innerHeight / 2 }, size);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.place(this.at, size), SHOWN_MS);
  }

  private place(at: Point | undefined, size: number): void {
    const diameter = Math.max(LEAST_PX, size * this.scale());
    this.ring.hidden = at === undefined;
    document.documentElement.dataset.ring = at === undefined ? "off" : "on";
    if (!at) return;
    const { style } = this.ring;
    style.width = style.height = `${diameter}px`;
    style.transform = `translate(${at.x - diameter / 2}px, ${at.y - diameter / 2}px)`;
  }
}
