/**
 * What is seen of the canvas: the picture on the screen, the part of it that the camera shows, and
 * the map.
 */
import { element } from "../browser/dom";
import { CANVAS_SIDE } from "../browser/server";
import { Replica } from "../replica/replica";
import { Minimap } from "../ui/minimap";
import { Camera } from "../view/camera";
import { Screen } from "../view/screen";
import { type Point, toCanvas, type View } from "../view/view";

const CANVAS = { width: CANVAS_SIDE, height: CANVAS_SIDE };
/**
 * Where the whole canvas is shown on at most so many device pixels, a picture of half its size
 * looks as sharp.
 */
const HALF_PIXELS = 800;

export interface LookingHost {
  /** There is something to draw. */
  redraw(): void;
  /** The canvas lies elsewhere on the screen, or has another size there. */
  viewChanged(): void;
}

export class Looking {
  readonly stage = element("stage", HTMLElement);
  readonly replica: Replica;
  readonly screen: Screen;
  readonly camera: Camera;
  private readonly minimap: Minimap;

  constructor(host: LookingHost) {
    const canvas = element("canvas", HTMLCanvasElement);
    this.screen = new Screen(canvas, element("veil", HTMLCanvasElement), () => host.redraw());
    this.replica = new Replica(CANVAS.width, CANVAS.height, this.screen);
    this.screen.show(this.replica);
    this.camera = new Camera(this.stage, CANVAS, (resized) => {
      if (resized) this.screen.resize(this.stage.clientWidth, this.stage.clientHeight);
      host.viewChanged();
      host.redraw();
    });
    this.minimap = new Minimap(this.screen, this.camera, CANVAS);
  }

  get view(): View {
    return this.camera.view;
  }

  /** Whether a picture of half the size is as good on this screen, at the present zoom. */
  get halfIsEnough(): boolean {
    return this.view.scale * CANVAS.width * devicePixelRatio <= HALF_PIXELS;
  }

  /** The place of the canvas that is shown at a point of the stage. */
  toCanvas(at: Point): Point {
    return toCanvas(this.view, at);
  }

  /** The colour that is shown at a point of the stage, 0xRRGGBB; undefined beside the canvas. */
  colorAt(at: Point): number | undefined {
    const { x, y } = this.toCanvas(at);
    const color = this.replica.shown.at(Math.floor(x), Math.floor(y));
    return color && (color[0] << 16) | (color[1] << 8) | color[2];
  }

  draw(time: number): void {
    this.screen.draw(this.view);
    this.minimap.draw(time);
  }
}
