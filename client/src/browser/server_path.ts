/** The path below which the canvas is served, without a slash at its end: empty, or for example `/canvas`. */
const ROOT = new URL(".", globalThis.document?.baseURI ?? "http://localhost/").pathname.replace(/\/$/, "");

/** Returns the address of one of the server's paths, for example `/history`. Addresses in the server's messages are complete already. */
export function serverPath(path: string): string {
  return ROOT + path;
}
