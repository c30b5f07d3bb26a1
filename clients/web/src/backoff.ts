export interface Backoff {
  /** Up to how many milliseconds the first wait takes; each after it up to twice as many. */
  baseMs: number;
  /** What no wait exceeds. */
  maxMs: number;
}

/** Exponential backoff with full jitter: a whole fleet that lost its server comes back evenly spread. */
export function fullJitter({ baseMs, maxMs }: Backoff, attempts: number, random: () => number = Math.random): number {
  return Math.floor(random() * Math.min(maxMs, baseMs * 2 ** attempts));
}
