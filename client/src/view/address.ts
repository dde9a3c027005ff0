/** A view as a part of the page's address: `#x,y,zoom` (pure). */
import { MAX_SCALE, type Point, type Size, toCanvas, type View } from "./view";

/**
 * The place of the canvas in the middle of the stage, and how many CSS pixels a canvas pixel is
 * wide.
 */
export interface Spot extends Point {
  readonly zoom: number;
}

const LEAST_ZOOM = 0.05;

export function spotOf(view: View, stage: Size): Spot {
  const { x, y } = toCanvas(view, { x: stage.width / 2, y: stage.height / 2 });
  return { x, y, zoom: view.scale };
}

export function viewAt({ x, y, zoom }: Spot, stage: Size): View {
  return { x: x - stage.width / 2 / zoom, y: y - stage.height / 2 / zoom, scale: zoom };
}

/** `#768,412,1.5`. */
export function formatSpot({ x, y, zoom }: Spot): string {
  return `#${Math.round(x)},${Math.round(y)},${Number(zoom.toPrecision(4))}`;
}

/** What an address asks to see; undefined where it is no spot of the canvas. */
export function parseSpot(hash: string, canvas: Size): Spot | undefined {
  const parts = hash.replace(/^#/, "").split(",");
  if (parts.length !== 3 || parts.some((part) => part.trim() === "")) return undefined;
  const [x, y, zoom] = parts.map(Number);
  const sound = x >= 0 && x <= canvas.width && y >= 0 && y <= canvas.height;
  return sound && zoom >= LEAST_ZOOM && zoom <= MAX_SCALE ? { x, y, zoom } : undefined;
}
