/**
 * Shows the replica, and fades from one dream into the next: the picture before lies over the
 * present one and becomes transparent. The browser's compositor does that; here both are drawn
 * once, and then only where new ink comes.
 */
import { type Dab, drawDab } from "../replica/brush";
import { Pixels } from "../replica/pixels";
import type { Rect } from "../replica/rect";
import type { Replica, ReplicaListener } from "../replica/replica";
import { Layer } from "./layer";
import { Sheet } from "./sheet";
import type { View } from "./view";

/** `forwards`: the veil stays transparent until it is hidden. Else it would flash up in between. */
const FADE: KeyframeAnimationOptions = { duration: 500, easing: "ease-in-out", fill: "forwards" };

export class Screen implements ReplicaListener {
  private readonly canvas: HTMLCanvasElement;
  private readonly veil: HTMLCanvasElement;
  private readonly changed: () => void;
  private readonly stillness: MediaQueryList;
  private front: Sheet | undefined;
  /** The picture before the present dream, which also gets new ink while it fades. */
  private before: Sheet | undefined;
  private looking = false;
  private fade: Animation | undefined;
  /** A fade is to begin when both pictures are drawn. */
  private fadeDue = false;

  /** `veil` lies over `canvas`. `changed` is called when `draw` should be called soon. */
  constructor(canvas: HTMLCanvasElement, veil: HTMLCanvasElement, changed: () => void) {
    this.canvas = canvas;
    this.veil = veil;
    this.changed = changed;
    this.stillness = matchMedia("(prefers-reduced-motion: reduce)");
  }

  show(replica: Replica): void {
    this.front = new Sheet(this.canvas, new Layer(replica.shown));
  }

  /** The picture that is shown, in its own size. */
  get picture(): OffscreenCanvas {
    if (!this.front) throw new Error("nothing is shown yet");
    return this.front.layer.canvas;
  }

  /** Whether there was a dream, and so something before it. */
  get hasBefore(): boolean {
    return this.before !== undefined;
  }

  /** While true, the picture before the present dream is shown. */
  lookBack(on: boolean): void {
    this.looking = on;
    this.endFade();
    this.changed();
  }

  resize(width: number, height: number): void {
    this.front?.resize(width, height);
    this.before?.resize(width, height);
    this.changed();
  }

  drawn(area: Rect, dab?: Dab): void {
    this.front?.layer.mark(area);
    if (dab && this.fading && this.before) {
      drawDab(this.before.layer.pixels, dab);
      this.before.layer.mark(area);
    }
    this.changed();
  }

  rebasing(): void {
    // Who looks back goes on seeing the same.
    if (!this.front || this.looking) return;
    const { pixels } = this.front.layer;
    if (!this.before) {
      this.before = new Sheet(this.veil, new Layer(new Pixels(pixels.width, pixels.height)));
      this.before.resize(this.canvas.clientWidth, this.canvas.clientHeight);
    }
    this.before.layer.pixels.copy(pixels);
    this.before.layer.markAll();
    this.endFade();
    this.fadeDue = !this.stillness.matches && !document.hidden;
  }

  rebased(): void {
    this.front?.layer.markAll();
    this.changed();
  }

  draw(view: View): void {
    this.veil.hidden = !(this.looking || this.fading);
    if (!this.veil.hidden) this.before?.draw(view);
    this.front?.draw(view);
    if (this.fadeDue) this.beginFade();
  }

  private get fading(): boolean {
    return this.fadeDue || this.fade !== undefined;
  }

  private beginFade(): void {
    this.fadeDue = false;
    const fade = this.veil.animate([{ opacity: 1 }, { opacity: 0 }], FADE);
    this.fade = fade;
    fade.onfinish = () => {
      this.veil.hidden = true;
      this.endFade();
    };
  }

  private endFade(): void {
    this.fadeDue = false;
    this.fade?.cancel();
    this.fade = undefined;
  }
}
