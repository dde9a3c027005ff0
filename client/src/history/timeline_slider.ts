/**
 * The time line: when people drew, which style was dreamt, where the movie is; and the slider that
 * moves it elsewhere.
 */
import { context2d, element } from "../browser/dom";
import { styleWords } from "../words/site";
import type { Clock } from "./formats";
import { WORDS } from "./messages";
import { clamp, SPRITE_COLUMNS, thumbnailOf } from "./moments";
import type { Reel } from "./reel";
import { gaps, hues, styleAt, ticks } from "./timeline";

/** Heights in CSS pixels: of the dabs, the styles, the clock; and what is between them. */
const DABS = 34;
const STYLES = 15;
const TICKS = 16;
const SPACE = 4;
const TICK_WIDTH = 64;
const GAP_MS = 5 * 60_000;
const THUMBNAIL = 160;

export interface SliderCommands {
  seek(index: number): void;
  /** A drag begins or ends. */
  scrub(on: boolean): void;
}

export class TimelineSlider {
  private readonly slider = element("track", HTMLElement);
  private readonly canvas = element("drawing", HTMLCanvasElement);
  private readonly played = element("played", HTMLElement);
  private readonly line = element("head-line", HTMLElement);
  private readonly tip = element("tip", HTMLElement);
  private readonly tipPicture = element("tip-picture", HTMLElement);
  private readonly tipWords = element("tip-words", HTMLElement);
  private readonly commands: SliderCommands;
  private reel: Reel | undefined;
  private clock: Clock | undefined;
  private thumbnails = 100;
  private width = 0;
  private dragged: number | undefined;

  constructor(commands: SliderCommands) {
    this.commands = commands;
    const { slider } = this;
    new ResizeObserver(() => this.draw()).observe(slider);
    slider.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.dragged !== undefined) return;
      this.dragged = event.pointerId;
      slider.setPointerCapture(event.pointerId);
      commands.scrub(true);
      this.point(event);
    });
    slider.addEventListener("pointermove", (event) => {
      // With another button held, browsers send a move, not a pointerup, when the first one
      // goes up.
      if (event.pointerId === this.dragged && (event.buttons & 1) === 0) this.letGo(event);
      this.point(event);
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"] as const)
      slider.addEventListener(name, (event) => this.letGo(event));
    slider.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
    });
  }

  private letGo({ pointerId, pointerType }: PointerEvent): void {
    if (pointerId !== this.dragged) return;
    this.dragged = undefined;
    this.commands.scrub(false);
    if (pointerType !== "mouse") this.tip.hidden = true;
  }

  open(reel: Reel, clock: Clock, thumbnails: number): void {
    this.reel = reel;
    this.clock = clock;
    this.thumbnails = thumbnails;
    this.slider.setAttribute("aria-valuemax", String(reel.dreams.length));
    const { sprite } = reel.recording;
    this.tipPicture.hidden = sprite === "";
    this.tipPicture.style.backgroundImage = sprite === "" ? "" : `url("${sprite}")`;
    this.draw();
  }

  /**
   * Shows where the movie is. `told`: assistive software hears of it, too; not at every frame of a
   * movie that plays.
   */
  place(index: number, told: boolean): void {
    const { reel, slider } = this;
    if (!reel) return;
    const share = (index + 0.5) / reel.dreams.length;
    this.line.style.transform = `translateX(${share * this.width}px)`;
    this.played.style.transform = `scaleX(${share})`;
    if (!told) return;
    slider.setAttribute("aria-valuenow", String(index + 1));
    slider.setAttribute("aria-valuetext", this.words(reel, index));
  }

  private words(reel: Reel, index: number): string {
    const style = styleWords(styleAt(reel.styles, index));
    const time = this.clock?.toSecond(reel.times[index]) ?? "";
    const value = WORDS.momentValue(time, index + 1, reel.dreams.length);
    return style ? `${value}, ${style}` : value;
  }

  private point(event: PointerEvent): void {
    const { reel } = this;
    if (!reel || this.width === 0) return;
    const count = reel.dreams.length;
    const x = event.clientX - this.slider.getBoundingClientRect().left;
    const index = clamp(Math.floor((x / this.width) * count), 0, count - 1);
    if (this.dragged !== undefined) this.commands.seek(index);
    if (event.pointerType === "mouse" || this.dragged !== undefined) this.showTip(reel, index, x);
  }

  private showTip(reel: Reel, index: number, x: number): void {
    const style = styleWords(styleAt(reel.styles, index));
    this.tipWords.textContent = `${this.clock?.toSecond(reel.times[index])}${style ? ` · ${style}` : ""}`;
    const k = thumbnailOf(index, reel.dreams.length, this.thumbnails);
    const [column, row] = [k % SPRITE_COLUMNS, Math.floor(k / SPRITE_COLUMNS)];
    this.tipPicture.style.backgroundPosition = `${-column * THUMBNAIL}px ${-row * THUMBNAIL}px`;
    this.tip.hidden = false;
    const half = this.tip.offsetWidth / 2;
    this.tip.style.transform = `translateX(${clamp(x, half, this.width - half) - half}px)`;
  }

  private draw(): void {
    const { reel, canvas, slider } = this;
    const context = context2d(canvas);
    this.width = slider.clientWidth;
    if (!reel || this.width === 0) return;
    const density = devicePixelRatio;
    const height = DABS + STYLES + TICKS + 2 * SPACE;
    canvas.width = Math.round(this.width * density);
    canvas.height = Math.round(height * density);
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, this.width, height);
    context.font = `11px ${getComputedStyle(slider).fontFamily}`;
    context.textBaseline = "middle";
    const x = (index: number) => (index / reel.dreams.length) * this.width;
    this.drawDabs(context, reel, x);
    this.drawStyles(context, reel, x);
    this.drawTicks(context, reel, x);
  }

  private drawDabs(
    context: CanvasRenderingContext2D,
    reel: Reel,
    x: (index: number) => number,
  ): void {
    context.fillStyle = "rgb(255 255 255 / 10%)";
    context.fillRect(0, DABS - 1, this.width, 1);
    context.fillStyle = "#f2545b";
    for (const { from, to, level } of reel.bars) {
      if (level === 0) continue;
      const height = Math.max(2, level * (DABS - 2));
      const width = x(to) - x(from);
      context.fillRect(x(from), DABS - height, Math.max(1, width - (width > 4 ? 1 : 0)), height);
    }
  }

  private drawStyles(
    context: CanvasRenderingContext2D,
    reel: Reel,
    x: (index: number) => number,
  ): void {
    const top = DABS + SPACE;
    const hue = hues(reel.styles.map(({ style }) => style));
    for (const { from, to, style } of reel.styles) {
      const [left, width] = [x(from), x(to) - x(from)];
      context.fillStyle = `hsl(${hue.get(style)} 42% 32%)`;
      context.beginPath();
      context.roundRect(left, top, Math.max(1, width - 1), STYLES, Math.min(4, width / 3));
      context.fill();
      const words = styleWords(style);
      if (context.measureText(words).width + 12 > width) continue;
      context.fillStyle = "rgb(255 255 255 / 92%)";
      context.fillText(words, left + 6, top + STYLES / 2 + 0.5);
    }
    // A gap in the line shows that nothing was dreamt for a while.
    for (const at of gaps(reel.times, GAP_MS))
      context.clearRect(x(at) - 1.5, 0, 3, DABS + SPACE + STYLES);
  }

  private drawTicks(
    context: CanvasRenderingContext2D,
    reel: Reel,
    x: (index: number) => number,
  ): void {
    const top = DABS + STYLES + 2 * SPACE;
    context.fillStyle = "#a9a8ad";
    context.textAlign = "center";
    const most = Math.floor(this.width / TICK_WIDTH);
    for (const { at, time } of ticks(reel.times, most)) {
      const words = this.clock?.toMinute(time) ?? "";
      const half = context.measureText(words).width / 2;
      context.fillText(words, clamp(x(at), half, this.width - half), top + TICKS / 2);
    }
    context.textAlign = "start";
  }
}
