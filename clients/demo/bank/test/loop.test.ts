import { expect, test, vi } from 'vitest';

import { Loop } from '../src/loop.js';

test('a turn that has nothing to do waits to be woken', async () => {
  const turn = vi.fn(() => Promise.resolve(undefined));
  const loop = new Loop(turn, vi.fn());
  loop.wake();
  await loop.stop();
  expect(turn).toHaveBeenCalledTimes(1);
});

test('woken during a turn it takes another one, never two at once', async () => {
  let at = 0;
  let most = 0;
  const second = new Promise<void>((resolve) => {
    let turns = 0;
    const loop: Loop = new Loop(async () => {
      most = Math.max(most, ++at);
      if (++turns === 1) loop.wake();
      else resolve();
      await Promise.resolve();
      at--;
      return undefined;
    }, vi.fn());
    loop.wake();
  });
  await second;
  expect(most).toBe(1);
});

test('of failures in a row the first one is told, and it goes on', async () => {
  vi.useFakeTimers();
  const trouble = vi.fn();
  let turns = 0;
  const loop = new Loop(() => (++turns < 4 ? Promise.reject(new Error('away')) : Promise.resolve(undefined)), trouble);
  loop.wake();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([turns, trouble.mock.calls.length]).toEqual([4, 1]);
  await loop.stop();
  vi.useRealTimers();
});

test('once stopped it takes no turn any more', async () => {
  const turn = vi.fn(() => Promise.resolve(1));
  const loop = new Loop(turn, vi.fn());
  loop.wake();
  await loop.stop();
  const turns = turn.mock.calls.length;
  loop.wake();
  expect(turn).toHaveBeenCalledTimes(turns);
});
