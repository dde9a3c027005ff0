/**
 * The story of a place: what it was in each of the last dreams, as a strip of small pictures with a
 * slider over it.
 */

import { context2d, element } from "../browser/dom";
import { serverPath } from "../browser/server";
import type { Caller } from "../connection/connection";
import { agoWords } from "../ui/status_words";
import { toScreen, type View } from "../view/view";
import { styleWords } from "../words/site";
import { words } from "../words/words";
import { type Frame, fetchPlace, lastFrames, type Place, placeAround } from "./frames";

const MOST = 16;
/** The picture in full is fetched when the slider has rested for so long. */
const REST_MS = 160;

export interface StoryHost {
  readonly caller: Caller;
  readonly canvas: number;
  newestDream(): number;
  /** The server's time, ms since 1970. */
  now(): number;
  view(): View;
  closed(): void;
}

export class Story {
  private readonly host: StoryHost;
  private readonly panel = element("story-panel", HTMLElement);
  private readonly caption = element("story-words", HTMLElement);
  private readonly range = element("story-range", HTMLInputElement);
  private readonly strip = element("strip", HTMLCanvasElement);
  private readonly frame = element("frame", HTMLElement);
  private readonly link = element("story-link", HTMLAnchorElement);
  private readonly spot = element("spot", HTMLElement);
  private readonly picture: CanvasRenderingContext2D;
  private readonly film: CanvasRenderingContext2D;
  private frames: Frame[] = [];
  private cells: (ImageBitmap | undefined)[] = [];
  private place: Place | undefined;
  /** Counts the places that were chosen. What was fetched for an earlier one is dropped. */
  private asked = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: StoryHost) {
    this.host = host;
    this.picture = smooth(element("story-picture", HTMLCanvasElement));
    this.film = smooth(this.strip);
    element("story-close", HTMLButtonElement).addEventListener("click", () => this.close());
    this.range.addEventListener("input", () => this.show());
  }

  get open(): boolean {
    return !this.panel.hidden;
  }

  /** Tells the story of the place around a spot of the canvas. */
  async tell(x: number, y: number): Promise<void> {
    this.asked += 1;
    const asked = this.asked;
    this.place = placeAround(x, y, this.host.canvas);
    this.panel.hidden = false;
    this.panel.dataset.state = "loading";
    this.viewChanged();
    this.say(words.story.loading);
    try {
      const frames = await lastFrames(this.host.caller, this.host.newestDream(), MOST);
      if (asked !== this.asked) return;
      this.begin(frames);
      await Promise.all(frames.map((_, index) => this.fetchCell(index, asked)));
    } catch {
      if (asked === this.asked) this.fail();
    }
  }

  close(): void {
    if (!this.open) return;
    this.asked += 1;
    clearTimeout(this.timer);
    this.panel.hidden = true;
    this.spot.hidden = true;
    this.host.closed();
  }

  /** The canvas lies elsewhere on the screen: puts the mark where the place is. */
  viewChanged(): void {
    this.spot.hidden = !this.open || !this.place;
    if (this.spot.hidden || !this.place) return;
    const view = this.host.view();
    const { x, y } = toScreen(view, { x: this.place.left, y: this.place.top });
    const side = this.place.side * view.scale;
    this.spot.style.transform = `translate(${x}px, ${y}px)`;
    this.spot.style.width = this.spot.style.height = `${side}px`;
  }

  private begin(frames: Frame[]): void {
    this.frames = frames;
    this.cells = frames.map(() => undefined);
    this.panel.dataset.state = frames.length > 0 ? "live" : "empty";
    this.strip.width = Math.round(this.strip.clientWidth * devicePixelRatio);
    this.strip.height = Math.round(this.strip.clientHeight * devicePixelRatio);
    this.range.max = String(Math.max(0, frames.length - 1));
    this.range.value = this.range.max;
    this.frame.style.width = `${100 / Math.max(1, frames.length)}%`;
    this.show();
    if (frames.length === 0) this.say(words.story.none);
  }

  private async fetchCell(index: number, asked: number): Promise<void> {
    if (!this.place) return;
    const cell = await fetchPlace(this.frames[index], this.place, false);
    if (asked !== this.asked) return;
    this.cells[index] = cell;
    this.drawCell(cell, index);
    if (index === Number(this.range.value)) this.show();
  }

  /** Draws a dream's picture into the strip, which has room for the middle of each. */
  private drawCell(cell: ImageBitmap, index: number): void {
    const { width, height } = this.strip;
    const [from, to] = [index, index + 1].map((at) =>
      Math.round((at * width) / this.frames.length),
    );
    const share = Math.min(1, (to - from) / height);
    const wide = cell.width * share;
    this.film.drawImage(
      cell,
      (cell.width - wide) / 2,
      0,
      wide,
      cell.height,
      from,
      0,
      to - from,
      height,
    );
  }

  /** Shows the dream that the strip stands at. */
  private show(): void {
    const index = Number(this.range.value);
    const frame = this.frames[index];
    if (!frame) return;
    this.frame.style.insetInlineStart = `${(100 * index) / this.frames.length}%`;
    const ago = agoWords(this.host.now() - frame.time);
    const text = words.story.frame(frame.dream, styleWords(frame.style), ago);
    this.say(text);
    this.range.setAttribute("aria-valuetext", text);
    this.link.href = serverPath(
      `/history#${new Date(frame.time).toISOString().replace(/\.\d+/, "")}`,
    );
    const cell = this.cells[index];
    if (cell)
      this.picture.drawImage(cell, 0, 0, this.picture.canvas.width, this.picture.canvas.height);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.sharpen(frame, this.asked), REST_MS);
  }

  /** Shows the picture in full, if it still is the one that is looked at when it has come. */
  private async sharpen(frame: Frame, asked: number): Promise<void> {
    if (!this.place) return;
    try {
      const cell = await fetchPlace(frame, this.place, true);
      if (asked !== this.asked || this.frames[Number(this.range.value)] !== frame) return;
      this.picture.drawImage(cell, 0, 0, this.picture.canvas.width, this.picture.canvas.height);
    } catch {
      // The smaller picture, which is less sharp, stays.
    }
  }

  private fail(): void {
    this.panel.dataset.state = "failed";
    this.say(words.story.failed);
  }

  private say(text: string): void {
    if (this.caption.textContent !== text) this.caption.textContent = text;
  }
}

function smooth(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = context2d(canvas);
  context.imageSmoothingQuality = "high";
  return context;
}
