/**
 * Where on the screen the canvas lies (pure). Screen lengths are CSS pixels from the stage's top
 * left corner.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** How far bars reach into the stage from each side, in CSS pixels. */
export interface Insets {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/**
 * The canvas' point (x, y) lies at the stage's top left corner; a canvas pixel is `scale` CSS
 * pixels wide.
 */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export const MAX_SCALE = 16;

export function toCanvas(view: View, p: Point): Point {
  return { x: view.x + p.x / view.scale, y: view.y + p.y / view.scale };
}

export function toScreen(view: View, p: Point): Point {
  return { x: (p.x - view.x) * view.scale, y: (p.y - view.y) * view.scale };
}

/**
 * The view that shows the whole canvas, as large as it fits between the insets, in their middle.
 */
export function fitView(canvas: Size, stage: Size, insets: Insets): View {
  const width = Math.max(1, stage.width - insets.left - insets.right);
  const height = Math.max(1, stage.height - insets.top - insets.bottom);
  const scale = Math.min(width / canvas.width, height / canvas.height);
  return {
    x: canvas.width / 2 - (insets.left + width / 2) / scale,
    y: canvas.height / 2 - (insets.top + height / 2) / scale,
    scale,
  };
}

/** A box on the stage that should not hide the canvas. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Of several insets, those that leave the canvas largest without going under the box; the first of
 * equals.
 */
export function bestInsets(
  canvas: Size,
  stage: Size,
  choices: readonly Insets[],
  box: Box,
): Insets {
  let best = choices[choices.length - 1];
  let most = 0;
  for (const insets of choices) {
    const view = fitView(canvas, stage, insets);
    const { x: left, y: top } = toScreen(view, { x: 0, y: 0 });
    const { x: right, y: bottom } = toScreen(view, { x: canvas.width, y: canvas.height });
    const hidden = left < box.right && right > box.left && top < box.bottom && bottom > box.top;
    if (!hidden && view.scale > most) {
      most = view.scale;
      best = insets;
    }
  }
  return best;
}

/** Moves the canvas along with the hand. */
export function pan(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale };
}

/** Zooms so that what lies under `at` stays there. */
export function zoom(view: View, at: Point, factor: number, least: number): View {
  const scale = Math.min(MAX_SCALE, Math.max(least, view.scale * factor));
  const spot = toCanvas(view, at);
  return { x: spot.x - at.x / scale, y: spot.y - at.y / scale, scale };
}

/** Two fingers moved: what lay under their middle stays there, and their distance is the zoom. */
export function pinch(view: View, from: [Point, Point], to: [Point, Point], least: number): View {
  const start = middle(from);
  const end = middle(to);
  const spread = distance(from);
  const factor = spread > 0 ? distance(to) / spread : 1;
  return zoom(pan(view, end.x - start.x, end.y - start.y), end, factor, least);
}

/** Keeps the middle of the stage on the canvas, so that it can't get lost. */
export function clamp(view: View, canvas: Size, stage: Size): View {
  const halfWidth = stage.width / 2 / view.scale;
  const halfHeight = stage.height / 2 / view.scale;
  return {
    x: Math.min(canvas.width - halfWidth, Math.max(-halfWidth, view.x)),
    y: Math.min(canvas.height - halfHeight, Math.max(-halfHeight, view.y)),
    scale: view.scale,
  };
}

/** The stage changed its size: what lay in its middle stays there. */
export function resized(view: View, from: Size, to: Size): View {
  return {
    x: view.x + (from.width - to.width) / 2 / view.scale,
    y: view.y + (from.height - to.height) / 2 / view.scale,
    scale: view.scale,
  };
}

function middle([a, b]: [Point, Point]): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function distance([a, b]: [Point, Point]): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
