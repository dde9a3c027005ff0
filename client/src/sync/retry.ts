/** Pauses between attempts, in milliseconds: the first, and the longest. */
export const RETRY_MS = 1000;
export const RETRY_MOST_MS = 5000;

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
