/**
 * Fetches from the server what was recorded: days, windows, their dreams. Times are ms since 1970.
 */

import { serverPath } from "../browser/server";

export type State = "RECORDING" | "WAITING" | "ENCODED" | "EXPIRED";

export interface Rendition {
  readonly width: number;
  readonly url: string;
  readonly bytes: number;
}

/** A style, and from when on it was dreamt. */
export interface StyleSpan {
  readonly start: number;
  readonly style: string;
}

/** What windows and days have in common. */
export interface Recording {
  readonly start: number;
  readonly end: number;
  readonly state: State;
  /** How many dreams were recorded. */
  readonly frames: number;
  readonly seconds: number;
  readonly renditions: readonly Rendition[];
  /** Empty where there is none. */
  readonly poster: string;
  readonly sprite: string;
  readonly dabs: number;
}

export interface MovieWindow extends Recording {
  readonly styles: readonly StyleSpan[];
}

export interface Day extends Recording {
  /** Such as 2026-11-22, in the server's time zone. */
  readonly day: string;
  readonly windows: number;
  /** How many of the dreams its movie shows. */
  readonly movieFrames: number;
}

export interface Past {
  readonly timezone: string;
  readonly windowSeconds: number;
  readonly fps: number;
  readonly thumbnails: number;
  /** Newest first, as are the windows. */
  readonly days: readonly Day[];
  readonly windows: readonly MovieWindow[];
}

/** The dreams of a movie: frame i is `dreams[i]`, dreamt at `times[i]`. */
export interface Frames {
  readonly dreams: readonly number[];
  readonly times: readonly number[];
}

export interface WindowDetails extends Frames {
  readonly window: MovieWindow;
  /** Minute m is from `window.start + m * 60000` on. */
  readonly dabsPerMinute: readonly number[];
}

export interface DayDetails extends Frames {
  readonly day: Day;
}

/** The server could not be reached, or answered with an error. */
export class Failed extends Error {
  override readonly name = "Failed";
}

export const LARGEST_PAGE = 500;

/** Fetches all days, and up to `limit` windows that start before a time. Rejects with Failed. */
export async function fetchPast(before?: number, limit = 1): Promise<Past> {
  const query = before === undefined ? `limit=${limit}` : `before=${before}&limit=${limit}`;
  const past = demand(await get<Past>(serverPath(`/history.json?${query}`), "days"));
  return { ...past, windows: past.windows.map(complete) };
}

/** Fetches a window; undefined where there is no such window. Rejects with Failed. */
export async function fetchWindow(name: string): Promise<WindowDetails | undefined> {
  const details = await get<WindowDetails>(serverPath(`/history/${name}.json`), "window");
  return details && { ...details, window: complete(details.window) };
}

/** Fetches a day; undefined where there is no such day. Rejects with Failed. */
export function fetchDay(name: string): Promise<DayDetails | undefined> {
  return get<DayDetails>(serverPath(`/history/${name}.json`), "day");
}

/** Fills in the lists that are empty: Protobuf's JSON leaves them out. */
function complete(
  window: Partial<MovieWindow> & Omit<MovieWindow, "renditions" | "styles">,
): MovieWindow {
  return { ...window, renditions: window.renditions ?? [], styles: window.styles ?? [] };
}

function demand<T>(found: T | undefined): T {
  if (found === undefined) throw new Failed("there is no history on this server");
  return found;
}

/**
 * Returns the answer, or undefined where there is none; rejects where it lacks `key`: a proxy's
 * error page may be JSON, too.
 */
async function get<T>(path: string, key: string & keyof T): Promise<T | undefined> {
  const response = await ask(path);
  if (response.status === 404) return undefined;
  const body = await json(response);
  if (typeof body !== "object" || body === null || !(key in body))
    throw new Failed(`${path}: not as expected`);
  return body as T;
}

async function ask(path: string): Promise<Response> {
  try {
    return await fetch(path);
  } catch (error) {
    throw new Failed(`${path}: ${String(error)}`);
  }
}

async function json(response: Response): Promise<unknown> {
  if (!response.ok) throw new Failed(`${response.url}: ${response.status}`);
  try {
    return await response.json();
  } catch (error) {
    throw new Failed(`${response.url}: ${String(error)}`);
  }
}
