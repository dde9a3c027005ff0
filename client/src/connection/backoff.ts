/**
 * How long to wait before the next attempt: twice as long each time, a little at random, up to a
 * bound (pure).
 */
export interface Backoff {
  readonly first: number;
  readonly most: number;
}

/**
 * With this bound a page is back within 5 s of the server's return, even when an attempt has failed
 * just before.
 */
export const RECONNECT: Backoff = { first: 250, most: 3000 };

/**
 * Milliseconds before attempt number `attempt` (0 is the first), between half of the full delay and
 * all of it.
 */
export function delay({ first, most }: Backoff, attempt: number, random: () => number): number {
  const full = Math.min(most, first * 2 ** Math.min(attempt, 30));
  return full * (0.5 + 0.5 * random());
}
