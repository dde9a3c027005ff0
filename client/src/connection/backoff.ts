/** How long to wait before the next attempt: doubling, jittered, bounded (pure). */
export interface Backoff {
  readonly first: number;
  readonly most: number;
}

/** The bound keeps a page's return within 5 s of the server's, even when an attempt has just failed. */
export const RECONNECT: Backoff = { first: 250, most: 3000 };

/** Milliseconds before attempt number `attempt` (0 is the first), between half of the full delay and all of it. */
export function delay({ first, most }: Backoff, attempt: number, random: () => number): number {
  const full = Math.min(most, first * 2 ** Math.min(attempt, 30));
  return full * (0.5 + 0.5 * random());
}
