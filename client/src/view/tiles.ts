/** Which parts of a picture have changed, in tiles (pure). */
import { intersection, isEmpty, type Rect, rect } from "../replica/rect";

const TILE = 64;

export class Tiles {
  private readonly bounds: Rect;
  private readonly columns: number;
  private readonly rows: number;
  private readonly dirty: Uint8Array;
  private any = false;

  constructor(width: number, height: number) {
    this.bounds = rect(0, 0, width, height);
    this.columns = Math.ceil(width / TILE);
    this.rows = Math.ceil(height / TILE);
    this.dirty = new Uint8Array(this.columns * this.rows);
  }

  mark(area: Rect): void {
    const { left, top, right, bottom } = intersection(area, this.bounds);
    if (left >= right || top >= bottom) return;
    this.any = true;
    for (let row = Math.floor(top / TILE); row * TILE < bottom; row++) {
      const from = row * this.columns;
      this.dirty.fill(1, from + Math.floor(left / TILE), from + Math.ceil(right / TILE));
    }
  }

  markAll(): void {
    this.mark(this.bounds);
  }

  /** The changed areas, one for each run of tiles in a row; afterwards nothing is marked. */
  take(): Rect[] {
    if (!this.any) return [];
    if (this.dirty.every((tile) => tile === 1)) {
      this.clear();
      return [this.bounds];
    }
    const areas: Rect[] = [];
    for (let row = 0; row < this.rows; row++) {
      const from = row * this.columns;
      for (let column = 0; column < this.columns; column++) {
        if (this.dirty[from + column] === 0) continue;
        const first = column;
        while (column < this.columns && this.dirty[from + column] === 1) column++;
        const run = rect(first * TILE, row * TILE, column * TILE, (row + 1) * TILE);
        areas.push(intersection(run, this.bounds));
      }
    }
    this.clear();
    return areas.filter((area) => !isEmpty(area));
  }

  private clear(): void {
    this.dirty.fill(0);
    this.any = false;
  }
}
