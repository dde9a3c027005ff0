/**
 * What all pages know of the server: where its paths and its pictures of dreams are, and how large
 * the canvas is.
 */

/** The canvas' width and height in pixels. */
export const CANVAS_SIDE = 1536;
/** The width and height of a dream's smaller picture. */
export const HALF_SIDE = CANVAS_SIDE / 2;

/**
 * The path below which the canvas is served, without a slash at its end: empty, or for example
 * `/canvas`.
 */
const ROOT = new URL(".", globalThis.document?.baseURI ?? "http://localhost/").pathname.replace(
  /\/$/,
  "",
);

/**
 * Returns the address of one of the server's paths, for example `/history`. Addresses in the
 * server's messages are complete already.
 */
export function serverPath(path: string): string {
  return ROOT + path;
}

/** Returns the address of a dream's picture. */
export function dreamPath(dream: number): string {
  return serverPath(`/dreams/${dream}.jpg`);
}

/** Returns where a dream's picture is in half its size: `/dreams/12-768.jpg`. */
export function halfPath(url: string): string {
  return url.replace(/\.jpg$/, `-${HALF_SIDE}.jpg`);
}
