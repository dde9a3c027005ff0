/** The operator's forms: their fields, and the region that one of them holds. */
import { CANVAS_SIDE } from "../browser/server";
import type { Region } from "./api";

const EDGES = ["x", "y", "width", "height"] as const;

/** Returns a form's input by its name. Throws where it has none. */
export function field(form: HTMLFormElement, name: string): HTMLInputElement {
  const found = form.elements.namedItem(name);
  if (!(found instanceof HTMLInputElement)) throw new Error(`the form has no ${name}`);
  return found;
}

export function writeRegion(form: HTMLFormElement, region: Region): void {
  for (const edge of EDGES) field(form, edge).value = String(region[edge]);
}

/** Returns the region that the form holds, cut to the canvas. */
export function readRegion(form: HTMLFormElement): Region {
  const [x, y, width, height] = EDGES.map((edge) => Number(field(form, edge).value));
  return {
    x,
    y,
    width: Math.min(width, CANVAS_SIDE - x),
    height: Math.min(height, CANVAS_SIDE - y),
  };
}
