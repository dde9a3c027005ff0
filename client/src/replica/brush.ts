/**
 * The soft round brush, to the integer: PROTOCOL.md, "The brush, exactly".
 *
 * Canvas 2D's own blending is up to 32 levels off, so the page does the server's integers on pixel
 * buffers and both agree on every bit as long as they start from the same base.
 */
import type { Pixels } from "./pixels";
import type { Rect } from "./rect";

export const MAX_SIZE = 124;
const OPACITY = 102; // 40% of 255

export interface Dab {
  /** The middle, in canvas pixels. */
  readonly x: number;
  readonly y: number;
  /** The diameter in pixels, 1 to 124. */
  readonly size: number;
  /** 0xRRGGBB. */
  readonly color: number;
}

const masks: (Uint8Array | undefined)[] = [];

/**
 * Returns the opacities, 0 to 102, of a dab with a diameter of `size` pixels, in size × size bytes.
 */
export function mask(size: number): Uint8Array {
  let m = masks[size];
  if (m === undefined) {
    const radius = size / 2;
    m = new Uint8Array(size * size);
    for (let j = 0; j < size; j++) {
      for (let i = 0; i < size; i++) {
        const r = Math.hypot(i + 0.5 - radius, j + 0.5 - radius) / radius;
        m[j * size + i] =
          r < 1 ? Math.floor(OPACITY * (0.5 + 0.5 * Math.cos(Math.PI * r)) + 0.5) : 0;
      }
    }
    masks[size] = m;
  }
  return m;
}

/** Returns the pixels that a dab covers; they may lie partly or wholly off the canvas. */
export function covers(dab: Dab): Rect {
  const left = dab.x - (dab.size >> 1);
  const top = dab.y - (dab.size >> 1);
  return { left, top, right: left + dab.size, bottom: top + dab.size };
}

/**
 * The position of the dab of this size whose middle lies nearest to a point of the canvas plane.
 */
export function nearest(x: number, y: number, size: number): { x: number; y: number } {
  // The middle of an odd mask lies in the middle of a pixel, that of an even one on a corner.
  return size % 2 === 1
    ? { x: Math.floor(x), y: Math.floor(y) }
    : { x: Math.round(x), y: Math.round(y) };
}

/** Blends a dab into a picture, within `clip` where that is given. */
export function drawDab(pixels: Pixels, dab: Dab, clip?: Rect): void {
  const { size, color } = dab;
  const m = mask(size);
  const box = covers(dab);
  const left = Math.max(box.left, clip ? Math.max(clip.left, 0) : 0);
  const top = Math.max(box.top, clip ? Math.max(clip.top, 0) : 0);
  const right = Math.min(box.right, clip ? Math.min(clip.right, pixels.width) : pixels.width);
  const bottom = Math.min(box.bottom, clip ? Math.min(clip.bottom, pixels.height) : pixels.height);
  const data = pixels.data;
  const red = color >> 16;
  const green = (color >> 8) & 255;
  const blue = color & 255;
  for (let y = top; y < bottom; y++) {
    let o = (y * pixels.width + left) * 4;
    let k = (y - box.top) * size + left - box.left;
    for (let x = left; x < right; x++, o += 4, k++) {
      const a = m[k];
      if (a === 0) continue;
      const rest = 255 - a;
      let t = data[o] * rest + red * a + 128;
      data[o] = (t + (t >> 8)) >> 8;
      t = data[o + 1] * rest + green * a + 128;
      data[o + 1] = (t + (t >> 8)) >> 8;
      t = data[o + 2] * rest + blue * a + 128;
      data[o + 2] = (t + (t >> 8)) >> 8;
    }
  }
}
