import { describe, expect, test } from "vitest";
import { formatSpot, parseSpot, spotOf, viewAt } from "../../src/view/address";

const CANVAS = { width: 1536, height: 1536 };
const STAGE = { width: 1000, height: 600 };

describe("a view in the address", () => {
  test("comes back as the same view, to the pixel", () => {
    const view = viewAt({ x: 700, y: 300, zoom: 2.5 }, STAGE);
    const spot = parseSpot(formatSpot(spotOf(view, STAGE)), CANVAS);
    expect(spot).toEqual({ x: 700, y: 300, zoom: 2.5 });
    expect(viewAt(spot ?? { x: 0, y: 0, zoom: 1 }, STAGE)).toEqual(view);
  });

  test("is short", () => {
    expect(formatSpot({ x: 768.4, y: 411.6, zoom: 0.585_937_5 })).toBe("#768,412,0.5859");
  });

  test.each([
    "",
    "#",
    "#2026-11-22T14:03:20Z",
    "#1,2",
    "#1,2,3,4",
    "#a,b,c",
    "#,,",
    "#-1,0,1",
    "#0,1537,1",
    "#0,0,0",
    "#0,0,17",
    "#NaN,0,1",
  ])("is not made of %j", (hash) => {
    expect(parseSpot(hash, CANVAS)).toBeUndefined();
  });
});
