/** The path below which the canvas is served, without a slash at its end: empty, or such as `/canvas`. */
const ROOT = new URL(".", globalThis.document?.baseURI ?? "http://localhost/").pathname.replace(/\/$/, "");

/** The address of one of the server's paths, such as `/history`. Those that the server tells are whole already. */
export function at(path: string): string {
  return ROOT + path;
}
