import { describe, expect, test } from "vitest";
import { Stroke } from "../../src/ink/stroke";
import type { Dab } from "../../src/replica/brush";

function gaps(dabs: Dab[]): number[] {
  return dabs.slice(1).map((dab, i) => Math.hypot(dab.x - dabs[i].x, dab.y - dabs[i].y));
}

describe("a stroke", () => {
  test("lays dabs a quarter of their size apart, however the pointer's samples lie", () => {
    const stroke = new Stroke(1, 40, 0xff0000, { x: 100, y: 100 });
    const dabs = stroke.begin();
    for (const x of [101, 103, 150, 151, 300, 500]) dabs.push(...stroke.move({ x, y: 100 }));
    dabs.push(...stroke.finish());
    expect(dabs).toHaveLength(41);
    expect(dabs.at(0)).toEqual({ x: 100, y: 100, size: 40, color: 0xff0000 });
    expect(gaps(dabs).every((gap) => gap === 10)).toBe(true);
    expect(dabs.at(-1)?.x).toBe(500);
  });

  test("is never denser than a dab a pixel", () => {
    const stroke = new Stroke(1, 1, 0, { x: 0.5, y: 0.5 });
    const dabs = [...stroke.begin(), ...stroke.move({ x: 50.5, y: 0.5 }), ...stroke.finish()];
    expect(dabs.map(({ x }) => x)).toEqual(Array.from({ length: 51 }, (_, i) => i));
  });

  test("rounds the corners of the samples", () => {
    const stroke = new Stroke(1, 8, 0, { x: 0, y: 0 });
    const dabs = [
      ...stroke.move({ x: 100, y: 0 }),
      ...stroke.move({ x: 100, y: 100 }),
      ...stroke.finish(),
    ];
    expect(dabs.some(({ x, y }) => x > 97 && y < 3)).toBe(false);
    expect(dabs.some(({ x, y }) => x > 80 && y < 20)).toBe(true);
  });

  test("is as wide as the pen is pressed", () => {
    const stroke = new Stroke(1, 100, 0, { x: 0, y: 0, pressure: 0 });
    const dabs = [
      ...stroke.begin(),
      ...stroke.move({ x: 400, y: 0, pressure: 1 }),
      ...stroke.finish(),
    ];
    const sizes = dabs.map(({ size }) => size);
    expect(sizes[0]).toBe(20);
    expect(sizes.at(-1)).toBeGreaterThan(90);
    expect([...sizes].sort((a, b) => a - b)).toEqual(sizes);
  });

  test("thins with speed where no pressure is felt, smoothly, to no less than three fifths", () => {
    const stroke = new Stroke(1, 100, 0, { x: 0, y: 0, speed: 0.2 });
    const dabs = stroke.begin();
    for (let x = 40; x <= 1600; x += 40) dabs.push(...stroke.move({ x, y: 0, speed: 9 }));
    const sizes = [...dabs, ...stroke.finish()].map(({ size }) => size);
    expect(sizes[0]).toBe(100);
    expect([...sizes].sort((a, b) => b - a)).toEqual(sizes);
    expect(sizes.at(-1)).toBe(60);
    expect(Math.max(...sizes.slice(1).map((size, i) => sizes[i] - size))).toBeLessThan(12);
  });

  test("keeps its size at a draughtsman's speed", () => {
    const stroke = new Stroke(1, 50, 0, { x: 0, y: 0 });
    const dabs = [...stroke.move({ x: 300, y: 0, speed: 0.6 }), ...stroke.finish()];
    expect(dabs.every(({ size }) => size === 50)).toBe(true);
  });

  test("that is a mere tap can be seen", () => {
    const stroke = new Stroke(1, 30, 0, { x: 7, y: 8 });
    const dabs = [...stroke.begin(), ...stroke.move({ x: 7, y: 8 }), ...stroke.finish()];
    expect(dabs).toEqual(new Array(3).fill({ x: 7, y: 8, size: 30, color: 0 }));
  });
});
