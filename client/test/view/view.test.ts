import { describe, expect, test } from "vitest";
import { Tiles } from "../../src/view/tiles";
import {
  bestInsets,
  clamp,
  fitView,
  MAX_SCALE,
  type Point,
  pan,
  pinch,
  resized,
  toCanvas,
  toScreen,
  zoom,
} from "../../src/view/view";

const canvas = { width: 1536, height: 1536 };
const insets = { top: 0, right: 0, bottom: 0, left: 0 };

function near(actual: Point, expected: Point): void {
  expect(actual.x).toBeCloseTo(expected.x, 6);
  expect(actual.y).toBeCloseTo(expected.y, 6);
}

describe("the view", () => {
  test("leads from the screen to the canvas and back", () => {
    const view = { x: 100, y: -50, scale: 2.5 };
    near(toScreen(view, toCanvas(view, { x: 31, y: 77 })), { x: 31, y: 77 });
    near(toScreen(view, { x: 100, y: -50 }), { x: 0, y: 0 });
  });

  test("fits the canvas in the middle of what the bars leave", () => {
    const view = fitView(
      canvas,
      { width: 400, height: 800 },
      { top: 50, right: 8, bottom: 150, left: 8 },
    );
    expect(view.scale).toBe(384 / 1536);
    near(toScreen(view, { x: 768, y: 768 }), { x: 200, y: 350 });
  });

  test("takes the insets that leave most without hiding the canvas", () => {
    const beside = { ...insets, left: 70 };
    const below = { ...insets, top: 60 };
    const box = { left: 0, top: 0, right: 200, bottom: 50 };
    expect(bestInsets(canvas, { width: 1440, height: 900 }, [beside, below], box)).toBe(beside);
    expect(bestInsets(canvas, { width: 1000, height: 900 }, [beside, below], box)).toBe(below);
  });

  test("pans with the hand", () => {
    const view = { x: 0, y: 0, scale: 0.5 };
    near(toScreen(pan(view, 30, -40), { x: 10, y: 10 }), { x: 35, y: -35 });
  });

  test("zooms about a point, within bounds", () => {
    const view = { x: 20, y: 30, scale: 1 };
    const at = { x: 300, y: 200 };
    const closer = zoom(view, at, 3, 0.1);
    near(toCanvas(closer, at), toCanvas(view, at));
    expect(closer.scale).toBe(3);
    expect(zoom(view, at, 1000, 0.1).scale).toBe(MAX_SCALE);
    expect(zoom(view, at, 0.001, 0.1).scale).toBe(0.1);
  });

  test("follows two fingers: what was between them stays between them", () => {
    const view = { x: 5, y: 6, scale: 1 };
    const from: [Point, Point] = [
      { x: 100, y: 100 },
      { x: 200, y: 100 },
    ];
    const to: [Point, Point] = [
      { x: 140, y: 220 },
      { x: 340, y: 220 },
    ];
    const after = pinch(view, from, to, 0.1);
    expect(after.scale).toBe(2);
    near(toCanvas(after, { x: 240, y: 220 }), toCanvas(view, { x: 150, y: 100 }));
  });

  test("does not break when two fingers meet", () => {
    const point = { x: 1, y: 1 };
    expect(
      pinch({ x: 0, y: 0, scale: 1 }, [point, point], [point, { x: 9, y: 9 }], 0.1).scale,
    ).toBe(1);
  });

  test("never loses the canvas", () => {
    const stage = { width: 400, height: 300 };
    const lost = clamp({ x: 99_999, y: -99_999, scale: 2 }, canvas, stage);
    const middle = toCanvas(lost, { x: 200, y: 150 });
    near(middle, { x: 1536, y: 0 });
  });

  test("keeps the spot in the middle when the window changes", () => {
    const view = { x: 100, y: 100, scale: 2 };
    const after = resized(view, { width: 800, height: 600 }, { width: 390, height: 844 });
    near(toCanvas(after, { x: 195, y: 422 }), toCanvas(view, { x: 400, y: 300 }));
  });
});

describe("the changed tiles", () => {
  test("are given once, as runs within the picture", () => {
    const tiles = new Tiles(200, 130);
    tiles.mark({ left: 60, top: 10, right: 70, bottom: 20 });
    tiles.mark({ left: 190, top: 129, right: 999, bottom: 999 });
    tiles.mark({ left: -50, top: 5, right: 0, bottom: 9 });
    expect(tiles.take()).toEqual([
      { left: 0, top: 0, right: 128, bottom: 64 },
      { left: 128, top: 128, right: 200, bottom: 130 },
    ]);
    expect(tiles.take()).toEqual([]);
  });

  test("are one area when all has changed", () => {
    const tiles = new Tiles(200, 130);
    tiles.markAll();
    expect(tiles.take()).toEqual([{ left: 0, top: 0, right: 200, bottom: 130 }]);
  });
});
