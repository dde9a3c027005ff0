/** The view of this page: fits the canvas between the bars, follows the hand, keeps the spot when the window changes. */
import { element } from "../ui/dom";
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
/** The canvas can be made smaller than the screen, but not lost. */
const LEAST_OF_FIT = 0.5;

export class Camera {
  view: View = { x: 0, y: 0, scale: 1 };
  private readonly stage: HTMLElement;
  private readonly canvas: Size;
  private readonly changed: (resized: boolean) => void;
  private fitted = true;
  private size: Size = { width: 0, height: 0 };
  private readonly percent = element("percent", HTMLElement);

  /** `changed` is called after each change of the view, with true where the stage changed its size. */
  constructor(stage: HTMLElement, canvas: Size, changed: (resized: boolean) => void) {
    this.stage = stage;
    this.canvas = canvas;
    this.changed = changed;
  }

  start(): void {
    new ResizeObserver(() => this.resize()).observe(this.stage);
    element("fit", HTMLButtonElement).addEventListener("click", () => this.fit());
    element("zoom-in", HTMLButtonElement).addEventListener("click", () => this.zoom(1.5));
    element("zoom-out", HTMLButtonElement).addEventListener("click", () => this.zoom(1 / 1.5));
    this.resize();
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

  private resize(): void {
    const before = this.size;
    this.size = this.stageSize();
    if (this.fitted) this.fit();
    else this.set(resized(this.view, before, this.size), false);
    this.changed(true);
  }

  private set(view: View, fitted: boolean): void {
    this.fitted = fitted;
    this.view = clamp(view, this.canvas, this.size);
    const density = Math.round(this.view.scale * 100);
    this.percent.textContent = `${density}%`;
    document.documentElement.dataset.fit = String(fitted);
    this.changed(false);
  }

  private least(): number {
    return fitView(this.canvas, this.size, this.insets()).scale * LEAST_OF_FIT;
  }

  private stageSize(): Size {
    return { width: this.stage.clientWidth, height: this.stage.clientHeight };
  }

  /** The bars stand at the bottom of a tall window and on the left of a wide one. */
  private insets(): Insets {
    const stage = this.stageSize();
    const tools = element("tools", HTMLElement).getBoundingClientRect();
    const head = element("head", HTMLElement).getBoundingClientRect();
    const margin = { top: MARGIN, right: MARGIN, bottom: MARGIN, left: MARGIN };
    if (stage.height > stage.width) {
      return { ...margin, top: head.bottom + MARGIN, bottom: stage.height - tools.top + MARGIN };
    }
    const left = tools.right + MARGIN;
    const choices = [
      { ...margin, left, right: left },
      { ...margin, left },
      { ...margin, left: head.right + MARGIN },
      { ...margin, left, top: head.bottom + MARGIN },
    ];
    return bestInsets(this.canvas, stage, choices, head);
  }
}
