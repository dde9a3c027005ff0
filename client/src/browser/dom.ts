/** What all pages need of the DOM. */

/** Returns the element of the page with this id. Throws where it has none of this kind. */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

/** Returns the canvas' context for drawing. Throws where the browser gives none. */
export function context2d(
  canvas: HTMLCanvasElement,
  settings?: CanvasRenderingContext2DSettings,
): CanvasRenderingContext2D;
export function context2d(
  canvas: OffscreenCanvas,
  settings?: CanvasRenderingContext2DSettings,
): OffscreenCanvasRenderingContext2D;
export function context2d(
  canvas: HTMLCanvasElement | OffscreenCanvas,
  settings?: CanvasRenderingContext2DSettings,
) {
  const context = canvas.getContext("2d", settings);
  if (!context) throw new Error("no 2D canvas");
  return context;
}

/** Writes a colour 0xRRGGBB as CSS does: `#rrggbb`. */
export function cssColor(color: number): string {
  return `#${color.toString(16).padStart(6, "0")}`;
}
