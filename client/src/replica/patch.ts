import type { Pixels } from "./pixels";
import type { Rect } from "./rect";

/** Pixels put somewhere: an undo, or a moderator's restoration. */
export interface Patch {
  /** The top left corner, in canvas pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Rows of straight (not premultiplied) RGBA bytes. */
  readonly rgba: Uint8ClampedArray;
}

export function patchCovers(patch: Patch): Rect {
  return {
    left: patch.x,
    top: patch.y,
    right: patch.x + patch.width,
    bottom: patch.y + patch.height,
  };
}

/**
 * Blends a patch into a picture by its alpha, with the brush's integers: what Pillow's paste with a
 * mask does.
 */
export function drawPatch(pixels: Pixels, patch: Patch): void {
  const left = Math.max(patch.x, 0);
  const top = Math.max(patch.y, 0);
  const right = Math.min(patch.x + patch.width, pixels.width);
  const bottom = Math.min(patch.y + patch.height, pixels.height);
  for (let y = top; y < bottom; y++) {
    let o = (y * pixels.width + left) * 4;
    let k = ((y - patch.y) * patch.width + left - patch.x) * 4;
    for (let x = left; x < right; x++, o += 4, k += 4) {
      const a = patch.rgba[k + 3];
      for (let c = 0; c < 3; c++) {
        const t = pixels.data[o + c] * (255 - a) + patch.rgba[k + c] * a + 128;
        pixels.data[o + c] = (t + (t >> 8)) >> 8;
      }
    }
  }
}
