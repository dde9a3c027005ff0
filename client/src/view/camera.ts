/**
 * Which part of the canvas is shown: all of it between the bars, or where the visitor moved; it
 * stays so when the window changes.
 */
import { element } from "../browser/dom";
import { formatSpot, parseSpot, type Spot, spotOf, viewAt } from "./address";
import {
  bestInsets,
  clamp,
  fitView,
  type Insets,
  type Point,
  pan,
  pinch,
  resized,
  type Size,
  type View,
  zoom,
} from "./view";

const MARGIN = 14;
/** In small windows, this share of the shorter side. */
const MARGIN_SHARE = 1 / 32;
/** The canvas can be made smaller than the screen, but not lost. */
const LEAST_OF_FIT = 0.5;
/**
 * The address is changed when the view has rested for so long: browsers limit how often it may be.
 */
const ADDRESS_MS = 300;

export class Camera {
  view: View = { x: 0, y: 0, scale: 1 };
  private readonly box: HTMLElement;
  private readonly canvas: Size;
  private readonly changed: (resized: boolean) => void;
  private whole = true;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private size: Size = { width: 0, height: 0 };
  private readonly percent = element("percent", HTMLElement);

  /**
   * `changed` is called after each change of the view, with true where the stage changed its size.
   */
  constructor(stage: HTMLElement, canvas: Size, changed: (resized: boolean) => void) {
    this.box = stage;
    this.canvas = canvas;
    this.changed = changed;
  }

  /** Whether the whole canvas is shown, and is to be when the window changes. */
  get fitted(): boolean {
    return this.whole;
  }

  get stage(): Size {
    return this.size;
  }

  start(): void {
    new ResizeObserver(() => this.resize()).observe(this.box);
    element("fit", HTMLButtonElement).addEventListener("click", () => this.fit());
    element("zoom-in", HTMLButtonElement).addEventListener("click", () => this.zoom(1.5));
    element("zoom-out", HTMLButtonElement).addEventListener("click", () => this.zoom(1 / 1.5));
    addEventListener("hashchange", () => this.follow());
    this.resize();
    this.follow();
  }

  /** The address of this view, to be shared. */
  get address(): string {
    return `${location.origin}${location.pathname}${this.whole ? "" : formatSpot(spotOf(this.view, this.size))}`;
  }

  /** Shows a place of the canvas in the middle. */
  centre(at: Point): void {
    this.show({ ...at, zoom: this.view.scale });
  }

  fit(): void {
    this.set(fitView(this.canvas, this.stageSize(), this.insets()), true);
  }

  pan(dx: number, dy: number): void {
    this.set(pan(this.view, dx, dy), false);
  }

  pinch(from: [Point, Point], to: [Point, Point]): void {
    this.set(pinch(this.view, from, to, this.least()), false);
  }

  /** Zooms about a point of the stage, or about its middle. */
  zoom(factor: number, at?: Point): void {
    const { width, height } = this.size;
    this.set(zoom(this.view, at ?? { x: width / 2, y: height / 2 }, factor, this.least()), false);
  }

  private show(spot: Spot): void {
    this.set(viewAt(spot, this.size), false);
  }

  /** Shows what the address says. */
  private follow(): void {
    const spot = parseSpot(location.hash, this.canvas);
    if (spot) this.show(spot);
    else if (location.hash === "") this.fit();
  }

  private writeAddress(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const hash = this.whole ? "" : formatSpot(spotOf(this.view, this.size));
      if (hash !== location.hash)
        history.replaceState(history.state, "", location.pathname + location.search + hash);
    }, ADDRESS_MS);
  }

  private resize(): void {
    const before = this.size;
    this.size = this.stageSize();
    if (this.whole) this.fit();
    else this.set(resized(this.view, before, this.size), false);
    this.changed(true);
  }

  private set(view: View, fitted: boolean): void {
    this.whole = fitted;
    this.view = clamp(view, this.canvas, this.size);
    const density = Math.round(this.view.scale * 100);
    this.percent.textContent = `${density}%`;
    document.documentElement.dataset.fit = String(fitted);
    this.writeAddress();
    this.changed(false);
  }

  /** The smallest scale. */
  private least(): number {
    return fitView(this.canvas, this.size, this.insets()).scale * LEAST_OF_FIT;
  }

  private stageSize(): Size {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  /** The bars stand at the bottom of a tall window and beside the canvas in a wide one. */
  private insets(): Insets {
    const stage = this.stageSize();
    const tools = element("tools", HTMLElement).getBoundingClientRect();
    const head = element("head", HTMLElement).getBoundingClientRect();
    const space = Math.min(MARGIN, Math.min(stage.width, stage.height) * MARGIN_SHARE);
    const margin = { top: space, right: space, bottom: space, left: space };
    // As CSS has it: a square is tall.
    if (stage.height >= stage.width) {
      const actions = element("actions", HTMLElement).getBoundingClientRect();
      return { ...margin, top: head.bottom + space, bottom: stage.height - actions.top + space };
    }
    const left = tools.right + space;
    const right =
      stage.width - element("actions", HTMLElement).getBoundingClientRect().left + space;
    const choices = [
      { ...margin, left, right: left },
      { ...margin, left, right },
      { ...margin, left: head.right + space, right },
      { ...margin, left, right, top: head.bottom + space },
    ];
    return bestInsets(this.canvas, stage, choices, head);
  }
}
