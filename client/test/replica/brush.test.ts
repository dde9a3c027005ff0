import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { covers, drawDab, MAX_SIZE, mask, nearest } from "../../src/replica/brush";
import { drawPatch } from "../../src/replica/patch";
import { Pixels } from "../../src/replica/pixels";
import { decodePng } from "../../src/replica/png";
import golden from "./golden.json" with { type: "json" };

// golden.json is what the server's brush (Pillow) makes of the same dabs: see golden.py.

function sha256(data: Uint8Array | Uint8ClampedArray): string {
  return createHash("sha256").update(data).digest("hex");
}

function painted(): Pixels {
  const pixels = new Pixels(golden.width, golden.height);
  for (const [x, y, size, color] of golden.dabs) drawDab(pixels, { x, y, size, color });
  return pixels;
}

describe("the brush", () => {
  test("has the server's masks for all sizes", () => {
    const all = Buffer.concat(Array.from({ length: MAX_SIZE }, (_, i) => Buffer.from(mask(i + 1))));
    expect(sha256(all)).toBe(golden.masks);
  });

  test("paints to the bit what the server paints, over the edges too", () => {
    expect(sha256(painted().data)).toBe(golden.painted);
  });

  test("blends by the formula", () => {
    const pixels = new Pixels(1, 1);
    drawDab(pixels, { x: 0, y: 0, size: 1, color: 0 });
    // r = 0, m = 102: t = 255·153 + 0 + 128, (t + (t >> 8)) >> 8 = 153
    expect(pixels.at(0, 0)).toEqual([153, 153, 153]);
  });

  test("leaves alone what lies outside of the clip", () => {
    const [all, part] = [new Pixels(60, 60), new Pixels(60, 60)];
    const dab = { x: 30, y: 30, size: 41, color: 0x204060 };
    drawDab(all, dab);
    for (const [left, right] of [
      [-9, 17],
      [17, 41],
      [41, 99],
    ]) {
      drawDab(part, dab, { left, top: 0, right, bottom: 60 });
    }
    expect(part.hash()).toBe(all.hash());
  });

  test("covers size × size pixels around its middle", () => {
    expect(covers({ x: 10, y: 20, size: 5, color: 0 })).toEqual({
      left: 8,
      top: 18,
      right: 13,
      bottom: 23,
    });
    expect(covers({ x: 10, y: 20, size: 4, color: 0 })).toEqual({
      left: 8,
      top: 18,
      right: 12,
      bottom: 22,
    });
  });

  test("lies as near to the pointer as whole numbers allow", () => {
    expect(nearest(10.7, 3.2, 5)).toEqual({ x: 10, y: 3 });
    expect(nearest(10.7, 3.2, 4)).toEqual({ x: 11, y: 3 });
  });
});

describe("a patch", () => {
  test("is read exactly, also where it is nearly transparent", async () => {
    const { width, height, rgba } = await decodePng(Buffer.from(golden.patch.png, "base64"));
    expect([width, height]).toEqual([40, 30]);
    expect(sha256(rgba)).toBe(golden.patch.rgba);
  });

  test("is blended to the bit as the server blends it", async () => {
    const pixels = painted();
    const image = await decodePng(Buffer.from(golden.patch.png, "base64"));
    drawPatch(pixels, { x: golden.patch.x, y: golden.patch.y, ...image });
    expect(sha256(pixels.data)).toBe(golden.patched);
  });

  test("that is no PNG file of 8-bit RGBA is refused in words", async () => {
    await expect(decodePng(new Uint8Array(20))).rejects.toThrow("not a PNG file");
    const file = Buffer.from(golden.patch.png, "base64");
    await expect(decodePng(file.subarray(0, 60))).rejects.toThrow();
    file[25] = 2;
    await expect(decodePng(file)).rejects.toThrow("colour type 2");
  });
});
