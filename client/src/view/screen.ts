/**
 * Shows the replica on the visible canvas: uploads what changed, draws it by the view's transform, and fades from one
 * dream into the next. Draws only when something changed.
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
    this.front.upload();
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
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scale, 0, 0, scale, -view.x * scale, -view.y * scale);
    context.imageSmoothingEnabled = scale < SQUARES;
    context.imageSmoothingQuality = scale < 1 ? "high" : "low";
    const back = this.looking || this.fading ? this.before : undefined;
    if (back) {
      back.upload();
      context.drawImage(back.canvas, 0, 0);
    }
    front.upload();
    context.globalAlpha = back && this.looking ? 0 : share * share * (3 - 2 * share);
    context.drawImage(front.canvas, 0, 0);
    context.globalAlpha = 1;
    if (this.fading) this.changed();
  }
}
