import { expect, test } from 'vitest';

import { fullJitter } from '../src/backoff.js';

const backoff = { baseMs: 1000, maxMs: 30_000 };

test('a wait is spread from nothing to a bound that doubles, up to a bound of its own', () => {
  const highest = [0, 1, 2, 3, 4, 5, 6, 60].map((attempts) => fullJitter(backoff, attempts, () => 0.999_999));
  expect(highest).toEqual([999, 1999, 3999, 7999, 15_999, 29_999, 29_999, 29_999]);
  expect(fullJitter(backoff, 6, () => 0)).toBe(0);
});
