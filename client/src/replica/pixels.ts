import { intersection, isEmpty, type Rect } from "./rect";

/** A picture as rows of opaque RGBA bytes. The fourth byte of each pixel is 255 and stays so. */
export class Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;

  constructor(width: number, height: number, data?: Uint8ClampedArray<ArrayBuffer>) {
    const bytes = width * height * 4;
    if (data && data.length !== bytes) {
      throw new RangeError(`${width} × ${height} pixels take ${bytes} bytes, not ${data.length}`);
    }
    this.width = width;
    this.height = height;
    this.data = data ?? new Uint8ClampedArray(bytes).fill(255);
  }

  get bounds(): Rect {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  /** Becomes a copy of a picture of the same size. */
  copy(source: Pixels): void {
    this.data.set(source.data);
  }

  /** Takes over a part of a picture of the same size. */
  copyRect(source: Pixels, part: Rect): void {
    const area = intersection(part, this.bounds);
    if (isEmpty(area)) return;
    for (let y = area.top; y < area.bottom; y++) {
      const from = (y * this.width + area.left) * 4;
      const to = (y * this.width + area.right) * 4;
      this.data.set(source.data.subarray(from, to), from);
    }
  }

  /** Returns red, green and blue at a place, or undefined off the picture. */
  at(x: number, y: number): [number, number, number] | undefined {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return undefined;
    const i = (y * this.width + x) * 4;
    return [this.data[i], this.data[i + 1], this.data[i + 2]];
  }

  /** FNV-1a over the pixels as 32-bit words, in hexadecimal: equal pictures have equal hashes. */
  hash(): string {
    const words = new Uint32Array(this.data.buffer, this.data.byteOffset, this.data.length / 4);
    let h = 0x811c9dc5;
    for (let i = 0; i < words.length; i++) h = Math.imul(h ^ words[i], 0x01000193);
    return (h >>> 0).toString(16).padStart(8, "0");
  }
}
