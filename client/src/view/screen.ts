/**
 * Shows the replica on the visible canvas: uploads what changed, draws it by the view's transform, and fades from one
 * dream into the next. Draws only when something changed, and, while the view stands still, only where.
 */
import { type Dab, drawDab } from "../replica/brush";
import { Pixels } from "../replica/pixels";
import type { Rect } from "../replica/rect";
import type { Replica, ReplicaListener } from "../replica/replica";
import { Layer } from "./layer";
import type { View } from "./view";

const FADE_MS = 500;
/** From this many device pixels a canvas pixel on, pixels are shown as squares. */
const SQUARES = 4;
const MAX_DENSITY = 3;
/** Below this scale a pixel of the screen covers so much that plain bilinear smoothing would leave pixels of the canvas out. */
const COARSE = 0.5;
/** Canvas pixels around a change that smoothing carries it to, at most. */
const REACH = 4;

export class Screen implements ReplicaListener {
  private readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private readonly changed: () => void;
  private readonly stillness: MediaQueryList;
  private front: Layer | undefined;
  /** The picture before the present dream, which also gets new ink while it fades. */
  private before: Layer | undefined;
  private looking = false;
  private fadeStart = Number.NEGATIVE_INFINITY;
  private fading = false;
  /** What the visible canvas shows all of: the transform that it was last drawn by. */
  private drawnBy = "";

  /** `changed` is called when `draw` should be called soon. */
  constructor(canvas: HTMLCanvasElement, changed: () => void) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no 2D canvas");
    this.canvas = canvas;
    this.context = context;
    this.changed = changed;
    this.stillness = matchMedia("(prefers-reduced-motion: reduce)");
  }

  show(replica: Replica): void {
    this.front = new Layer(replica.shown);
  }

  /** The picture that is shown, in its own size. */
  get picture(): OffscreenCanvas {
    if (!this.front) throw new Error("nothing is shown yet");
    return this.front.canvas;
  }

  /** Whether there was a dream, and so something before it. */
  get hasBefore(): boolean {
    return this.before !== undefined;
  }

  /** While true, the picture before the present dream is shown. */
  lookBack(on: boolean): void {
    this.looking = on;
    this.changed();
  }

  resize(width: number, height: number): void {
    const density = Math.min(devicePixelRatio, MAX_DENSITY);
    this.canvas.width = Math.max(1, Math.round(width * density));
    this.canvas.height = Math.max(1, Math.round(height * density));
    this.drawnBy = "";
    this.changed();
  }

  drawn(area: Rect, dab?: Dab): void {
    this.front?.mark(area);
    if (dab && this.fading && this.before) {
      drawDab(this.before.pixels, dab);
      this.before.mark(area);
    }
    this.changed();
  }

  rebasing(): void {
    this.fading = !this.stillness.matches && !document.hidden;
    // Who looks back goes on seeing the same.
    if (!this.front || this.looking) return;
    const { pixels } = this.front;
    this.before ??= new Layer(new Pixels(pixels.width, pixels.height));
    this.before.pixels.copy(pixels);
    this.before.markAll();
  }

  rebased(): void {
    this.front?.markAll();
    this.fadeStart = performance.now();
    this.changed();
  }

  draw(view: View, now: number): void {
    const { front, context, canvas } = this;
    if (!front) return;
    const share = this.fading ? Math.min(1, Math.max(0, now - this.fadeStart) / FADE_MS) : 1;
    this.fading = share < 1;
    const ratio = canvas.width / (canvas.clientWidth || 1);
    const scale = view.scale * ratio;
    const [left, top] = [-view.x * scale, -view.y * scale];
    const back = this.looking || this.fading ? this.before : undefined;
    const transform = back ? "" : `${scale} ${left} ${top}`;
    const areas = front.upload();
    const still = transform !== "" && transform === this.drawnBy;
    this.drawnBy = transform;
    if (still && areas.length === 0) return;
    context.save();
    if (still) this.clip(areas, scale, left, top);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scale, 0, 0, scale, left, top);
    context.imageSmoothingEnabled = scale < SQUARES;
    context.imageSmoothingQuality = scale < COARSE ? "high" : "low";
    if (back) {
      back.upload();
      context.drawImage(back.canvas, 0, 0);
    }
    context.globalAlpha = back && this.looking ? 0 : share * share * (3 - 2 * share);
    context.drawImage(front.canvas, 0, 0);
    context.restore();
    if (this.fading) this.changed();
  }

  /** Leaves the visible canvas as it is but for these areas of the picture. Whole pixels, so that no seams are seen. */
  private clip(areas: readonly Rect[], scale: number, left: number, top: number): void {
    this.context.beginPath();
    for (const area of areas) {
      const [x0, y0] = [left + (area.left - REACH) * scale, top + (area.top - REACH) * scale].map(Math.floor);
      const [x1, y1] = [left + (area.right + REACH) * scale, top + (area.bottom + REACH) * scale].map(
        Math.ceil,
      );
      this.context.rect(x0, y0, x1 - x0, y1 - y0);
    }
    this.context.clip();
  }
}
