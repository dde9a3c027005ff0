/** What was stored may be anything: an older page wrote it, or a curious visitor. */

/** Reads JSON that should be an object. Anything else is as if nothing had been stored. */
export function parseRecord(text: string | null): Record<string, unknown> {
  try {
    return asRecord(JSON.parse(text ?? "{}"));
  } catch {
    return {}; // not JSON
  }
}

export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
