/**
 * The whole canvas, small, with a frame around what is seen: drag it to look elsewhere. Shown while
 * not all is seen.
 */

import { context2d, element } from "../browser/dom";
import type { Camera } from "../view/camera";
import type { Screen } from "../view/screen";
import { type Size, toCanvas } from "../view/view";

/** The shortest time between two drawings: each scales the whole large picture down. */
const REFRESH_MS = 250;

export class Minimap {
  private readonly map = element("map", HTMLCanvasElement);
  private readonly context: CanvasRenderingContext2D;
  private readonly picture: OffscreenCanvas;
  private readonly screen: Screen;
  private readonly camera: Camera;
  private readonly canvas: Size;
  private drawn = Number.NEGATIVE_INFINITY;

  constructor(screen: Screen, camera: Camera, canvas: Size) {
    this.context = context2d(this.map, { alpha: false });
    this.picture = new OffscreenCanvas(this.map.width, this.map.height);
    this.screen = screen;
    this.camera = camera;
    this.canvas = canvas;
    this.map.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.map.setPointerCapture(event.pointerId);
      this.look(event);
    });
    this.map.addEventListener("pointermove", (event) => {
      if (this.map.hasPointerCapture(event.pointerId) && (event.buttons & 1) !== 0)
        this.look(event);
    });
  }

  /** Brings the map up to date, where it is shown. */
  draw(now: number): void {
    if (this.camera.fitted) return;
    const { width, height } = this.map;
    if (now - this.drawn > REFRESH_MS) {
      this.drawn = now;
      const context = context2d(this.picture, { alpha: false });
      context.imageSmoothingQuality = "high";
      context.drawImage(this.screen.picture, 0, 0, width, height);
    }
    this.context.drawImage(this.picture, 0, 0);
    const scale = width / this.canvas.width;
    const { view, stage } = this.camera;
    const from = toCanvas(view, { x: 0, y: 0 });
    const to = toCanvas(view, { x: stage.width, y: stage.height });
    const [left, top] = [Math.max(0, from.x * scale), Math.max(0, from.y * scale)];
    const [right, bottom] = [Math.min(width, to.x * scale), Math.min(height, to.y * scale)];
    this.context.fillStyle = "rgb(10 10 14 / 45%)";
    this.context.beginPath();
    this.context.rect(0, 0, width, height);
    this.context.rect(left, top, right - left, bottom - top);
    this.context.fill("evenodd");
    this.context.strokeStyle = "#fff";
    this.context.lineWidth = 3;
    this.context.strokeRect(left + 1.5, top + 1.5, right - left - 3, bottom - top - 3);
  }

  private look(event: PointerEvent): void {
    const box = this.map.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.canvas.width;
    const y = ((event.clientY - box.top) / box.height) * this.canvas.height;
    this.camera.centre({ x, y });
  }
}
