/**
 * Plays what is not a movie yet: the dreams' pictures, one after the other on a canvas. A few small
 * ones are fetched ahead, since the server is busy with dreaming. Where it stops, on a large
 * screen, that picture is fetched in full.
 */
import { context2d } from "../browser/dom";
import { CANVAS_SIDE, dreamPath, HALF_SIDE, halfPath } from "../browser/server";
import { clamp } from "./moments";
import type { Playback, PlaybackListener } from "./playback";

const DREAMS_PER_SECOND = 12;
const AHEAD = 10;
const AT_ONCE = 3;
const KEPT = 48;
const REST_MS = 250;

type Picture = HTMLImageElement | "loading" | "gone";

export class FramePlayback implements Playback {
  index = 0;
  shown = -1;
  failed = false;
  playing = false;
  readonly element = document.createElement("canvas");
  private dreams: readonly number[];
  private readonly sharp: boolean;
  private readonly listener: PlaybackListener;
  private readonly context: CanvasRenderingContext2D;
  /** By the dream's number; those used last are at the end. */
  private readonly pictures = new Map<number, Picture>();
  private loading = 0;
  private speed = 1;
  private loop = false;
  private due = 0;
  private frame = 0;
  private rest: ReturnType<typeof setTimeout> | undefined;
  private disposed = false;

  /** `sharp`: the screen has more pixels than a small picture. */
  constructor(dreams: readonly number[], sharp: boolean, listener: PlaybackListener) {
    this.context = context2d(this.element);
    this.dreams = dreams;
    this.sharp = sharp;
    this.listener = listener;
    this.element.width = this.element.height = sharp ? CANVAS_SIDE : HALF_SIDE;
    this.context.imageSmoothingQuality = "high";
  }

  get waiting(): boolean {
    return !this.failed && this.shown !== this.index;
  }

  /** There are more dreams than there were. */
  extend(dreams: readonly number[]): void {
    this.dreams = dreams;
    this.fetch();
  }

  show(index: number): void {
    this.index = clamp(index, 0, this.dreams.length - 1);
    this.failed = false;
    this.listener.moved();
    this.draw();
    this.fetch();
  }

  play(): void {
    if (this.index === this.dreams.length - 1) this.show(0);
    this.playing = true;
    this.due = performance.now() + this.interval();
    this.schedule();
    this.fetch();
    this.listener.changed();
  }

  pause(): void {
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.restHere();
    this.listener.changed();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
  }

  setLoop(loop: boolean): void {
    this.loop = loop;
  }

  retry(): void {
    for (const [dream, picture] of this.pictures)
      if (picture === "gone") this.pictures.delete(dream);
    this.show(this.index);
    this.listener.changed();
  }

  dispose(): void {
    this.disposed = true;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.rest);
    this.pictures.clear();
    this.element.remove();
  }

  private interval(): number {
    return 1000 / (DREAMS_PER_SECOND * this.speed);
  }

  private schedule(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  private tick(now: number): void {
    if (!this.playing || this.disposed) return;
    this.schedule();
    if (now < this.due || this.waiting) return;
    const next = this.next(this.index);
    if (next === undefined) {
      this.pause();
    } else {
      // After a late picture it does not hurry to catch up: each dream should be seen.
      this.due = Math.max(this.due + this.interval(), now);
      this.show(next);
    }
  }

  /** Returns the next index whose picture can be had; undefined at the end. */
  private next(index: number): number | undefined {
    const count = this.dreams.length;
    for (let step = 1; step <= count; step++) {
      const at = index + step;
      if (at >= count && !this.loop) return undefined;
      if (this.pictures.get(this.dreams[at % count]) !== "gone") return at % count;
    }
    return undefined;
  }

  private draw(): void {
    const picture = this.pictures.get(this.dreams[this.index]);
    clearTimeout(this.rest);
    if (picture instanceof HTMLImageElement) {
      this.paint(picture);
      const was = this.shown;
      this.shown = this.index;
      if (was !== this.shown) this.listener.moved();
      if (!this.playing) this.restHere();
    } else if (picture === "gone") {
      const next = this.playing ? this.next(this.index) : undefined;
      if (next !== undefined) this.show(next);
      else this.failed = true;
    }
    this.listener.changed();
  }

  private paint(picture: HTMLImageElement): void {
    const { width, height } = this.element;
    this.context.drawImage(picture, 0, 0, width, height);
  }

  /** Fetches the present picture in full, if it still is the present one after a moment. */
  private restHere(): void {
    if (!this.sharp) return;
    const { index } = this;
    clearTimeout(this.rest);
    this.rest = setTimeout(async () => {
      const picture = await load(dreamPath(this.dreams[index]));
      if (picture && !this.playing && !this.disposed && this.index === index) this.paint(picture);
    }, REST_MS);
  }

  /**
   * Sees to it that the present picture and those after it are fetched, a few at once, the nearest
   * first.
   */
  private fetch(): void {
    const count = this.dreams.length;
    for (let step = 0; step < Math.min(AHEAD, count) && this.loading < AT_ONCE; step++) {
      const dream = this.dreams[(this.index + step) % count];
      if (!this.pictures.has(dream)) this.begin(dream);
    }
  }

  private async begin(dream: number): Promise<void> {
    this.loading += 1;
    this.pictures.set(dream, "loading");
    const picture = await load(halfPath(dreamPath(dream)));
    this.loading -= 1;
    if (this.disposed) return;
    this.pictures.delete(dream);
    this.pictures.set(dream, picture ?? "gone");
    for (const [old] of this.pictures) {
      if (this.pictures.size <= KEPT) break;
      this.pictures.delete(old);
    }
    if (dream === this.dreams[this.index]) this.draw();
    this.fetch();
  }
}

async function load(url: string): Promise<HTMLImageElement | undefined> {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
    return image;
  } catch {
    return undefined;
  }
}
