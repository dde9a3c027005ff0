/**
 * A visible canvas that shows a layer by the view's transform. Draws only when something changed,
 * and, while the view stands still, only where.
 */
import { context2d } from "../browser/dom";
import type { Rect } from "../replica/rect";
import type { Layer } from "./layer";
import type { View } from "./view";

/** From this many device pixels a canvas pixel on, pixels are shown as squares. */
const SQUARES = 4;
const MAX_DENSITY = 3;
/**
 * Below this scale a pixel of the screen covers so much that plain bilinear smoothing would leave
 * pixels of the canvas out.
 */
const COARSE = 0.5;
/** Canvas pixels around a change that smoothing carries it to, at most. */
const REACH = 4;

export class Sheet {
  readonly layer: Layer;
  private readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  /** The transform that all of it was last drawn by. */
  private drawnBy = "";

  constructor(canvas: HTMLCanvasElement, layer: Layer) {
    this.layer = layer;
    this.canvas = canvas;
    this.context = context2d(canvas);
  }

  resize(width: number, height: number): void {
    const density = Math.min(devicePixelRatio, MAX_DENSITY);
    this.canvas.width = Math.max(1, Math.round(width * density));
    this.canvas.height = Math.max(1, Math.round(height * density));
    this.drawnBy = "";
  }

  draw(view: View): void {
    const { canvas, context, layer } = this;
    const ratio = canvas.width / (canvas.clientWidth || 1);
    const scale = view.scale * ratio;
    const [left, top] = [-view.x * scale, -view.y * scale];
    const transform = `${scale} ${left} ${top}`;
    const areas = layer.upload();
    const still = transform === this.drawnBy;
    this.drawnBy = transform;
    if (still && areas.length === 0) return;
    context.save();
    if (still) this.clip(areas, scale, left, top);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scale, 0, 0, scale, left, top);
    context.imageSmoothingEnabled = scale < SQUARES;
    context.imageSmoothingQuality = scale < COARSE ? "high" : "low";
    context.drawImage(layer.canvas, 0, 0);
    context.restore();
  }

  /**
   * Leaves the visible canvas as it is but for these areas of the picture. Whole pixels, so that no
   * seams are seen.
   */
  private clip(areas: readonly Rect[], scale: number, left: number, top: number): void {
    this.context.beginPath();
    for (const area of areas) {
      const [x0, y0] = [left + (area.left - REACH) * scale, top + (area.top - REACH) * scale].map(
        Math.floor,
      );
      const [x1, y1] = [
        left + (area.right + REACH) * scale,
        top + (area.bottom + REACH) * scale,
      ].map(Math.ceil);
      this.context.rect(x0, y0, x1 - x0, y1 - y0);
    }
    this.context.clip();
  }
}
