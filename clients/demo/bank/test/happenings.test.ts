import { expect, test } from 'vitest';

import { unitsOf } from '../src/money.js';
import { nextHappening, type Purse } from '../src/happenings.js';
import { VERBS } from '../src/verbs.js';

const STEPS = 5000;

// The same sequence at each run.
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

// What an order moves, as the ledger would.
function apply(units: Map<string, bigint>, what: string, body: Readonly<Record<string, unknown>>): void {
  const amount = typeof body.amount === 'string' ? (unitsOf(body.amount) ?? 0n) : 0n;
  const add = (user: unknown, change: bigint): unknown =>
    units.set(String(user), (units.get(String(user)) ?? 0n) + change);
  if (what === 'send' || (what === 'transfer' && body.fails !== true)) add(body.to, amount);
  if (what === 'send' || (what === 'transfer' && body.fails !== true)) add(body.from, -amount);
  if (what === 'deposit') add(body.userId, amount);
  if (what === 'pay' || what === 'withdraw' || (what === 'card' && body.type === 'purchase')) add(body.userId, -amount);
}

test.each([1, 2, 3])('a long day (%i) leaves no wallet empty or overflowing, and all of it can be read', (seed) => {
  const random = seeded(seed);
  const units = new Map(['alice', 'bob', 'carol', 'dave'].map((userId) => [userId, 100_000n]));
  const seen = new Set<string>();
  let [least, most] = [100_000n, 100_000n];
  for (let step = 0; step < STEPS; step++) {
    const { what, body } = nextHappening(
      [...units].map(([userId, n]): Purse => ({ userId, units: n })),
      random,
    )!;
    VERBS[what](body); // throws if it is refused
    seen.add(what);
    apply(units, what, body as Record<string, unknown>);
    for (const n of units.values()) [least, most] = [n < least ? n : least, n > most ? n : most];
  }
  expect(least).toBeGreaterThan(10_000n);
  expect(most).toBeLessThan(1_000_000n);
  expect([...seen]).toEqual(expect.arrayContaining(['alert', 'card', 'deposit', 'pay', 'send', 'transfer']));
});

test('who is poor is paid first, and a single wallet has nobody to deal with', () => {
  const poor = { userId: 'bob', units: 5n };
  expect(nextHappening([{ userId: 'alice', units: 100_000n }, poor], Math.random)).toMatchObject({
    what: 'deposit',
    body: { userId: 'bob' },
  });
  expect(nextHappening([poor], Math.random)).toBeUndefined();
});
