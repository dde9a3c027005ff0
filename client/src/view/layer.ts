import { context2d } from "../browser/dom";
import type { Pixels } from "../replica/pixels";
import type { Rect } from "../replica/rect";
import { Tiles } from "./tiles";

/** A pixel buffer and its copy on the graphics side, brought up to date tile by tile. */
export class Layer {
  readonly pixels: Pixels;
  readonly canvas: OffscreenCanvas;
  private readonly context: OffscreenCanvasRenderingContext2D;
  private readonly image: ImageData;
  private readonly tiles: Tiles;

  constructor(pixels: Pixels) {
    this.pixels = pixels;
    this.canvas = new OffscreenCanvas(pixels.width, pixels.height);
    this.context = context2d(this.canvas, { alpha: false });
    // Shares the bytes with `pixels`.
    this.image = new ImageData(pixels.data, pixels.width, pixels.height);
    this.tiles = new Tiles(pixels.width, pixels.height);
    this.tiles.markAll();
  }

  mark(area: Rect): void {
    this.tiles.mark(area);
  }

  markAll(): void {
    this.tiles.markAll();
  }

  /** Brings the copy up to date; gives the areas that changed. */
  upload(): Rect[] {
    const areas = this.tiles.take();
    for (const { left, top, right, bottom } of areas) {
      this.context.putImageData(this.image, 0, 0, left, top, right - left, bottom - top);
    }
    return areas;
  }
}
