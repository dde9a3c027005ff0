/** Moments, windows, days, and the links to them (pure). Times are ms since 1970. */

export const MINUTE = 60_000;
export const HOUR = 3_600_000;

/** Where a link leads: to a moment, or to the movie of a day. */
export type Link = { readonly time: number } | { readonly day: string };

const MOMENT = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::(\d\d)(?:\.\d{1,3})?)?Z$/;
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Reads a page's fragment; undefined where it is no link of ours. */
export function parseLink(hash: string): Link | undefined {
  const text = decoded(hash.replace(/^#/, ""));
  if (DAY.test(text) && !Number.isNaN(Date.parse(text))) return { day: text };
  if (!MOMENT.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : { time };
}

/** `2026-11-22T14:03:20Z`, with milliseconds where they are asked for. */
export function formatMoment(time: number, milliseconds = false): string {
  const text = new Date(time).toISOString();
  return milliseconds ? text : text.replace(/\.\d{3}Z$/, "Z");
}

/**
 * Writes the link to frame `index`: to the second, or to the millisecond where another dream is in
 * the same second or none follows.
 */
export function linkTo(times: readonly number[], index: number): string {
  const time = times[index];
  // Rounded down it would lead to the dream before; rounded up, to this one if it is still the
  // newest then.
  const second = Math.ceil(time / 1000) * 1000;
  return `#${times[index + 1] > second ? formatMoment(second) : formatMoment(time, time % 1000 !== 0)}`;
}

/** Returns the start of the window in which a time lies. */
export function windowStart(time: number, seconds: number): number {
  const length = seconds * 1000;
  return Math.floor(time / length) * length;
}

/** Returns a window's name: `20261122T140000Z`. */
export function windowName(start: number): string {
  return formatMoment(start).replace(/[-:]/g, "");
}

/**
 * Returns the frame with the newest dream at a time; -1 where all are later. `times` ascend, unless
 * the server's clock was changed.
 */
export function frameAt(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Returns the frame of a movie that is shown at a position in seconds. */
export function frameOf(seconds: number, fps: number, count: number): number {
  return clamp(Math.floor(seconds * fps + 1e-3), 0, count - 1);
}

/** Returns the position in seconds to seek to for a frame: its middle. */
export function positionOf(index: number, fps: number): number {
  return (index + 0.5) / fps;
}

/** A sprite has so many thumbnails in a row. */
export const SPRITE_COLUMNS = 10;

/**
 * Returns which thumbnail of a sprite is nearest to a frame. Thumbnail k is frame (2k + 1) * count
 * / (2 * thumbnails).
 */
export function thumbnailOf(index: number, count: number, thumbnails: number): number {
  return clamp(Math.floor(((index + 0.5) / count) * thumbnails), 0, thumbnails - 1);
}

export function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
