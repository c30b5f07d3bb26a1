// Shared by crash-one and crash-two: 10,000 events while ww-notifications is killed in their midst.

import assert from 'node:assert/strict';
import { LONG } from './harness.mjs';

const EVENTS = LONG ? 50_000 : 10_000;
const USERS = 20;
const WATCHED = 4; // users who look on, from both edges

const user = (i) => `crash-${i}`;
const perUser = EVENTS / USERS;

function* lines() {
  for (let i = 0; i < EVENTS; i++) {
    const n = Math.floor(i / USERS);
    yield JSON.stringify({
      id: `e${i}`,
      userIds: [user(i % USERS)],
      payment: { status: 'completed', amount: '1.00', currency: 'EUR', message: String(n) },
    });
  }
}

// Kills each of `victims` in turn when so much of the whole has been seen by the first watcher.
async function killAlong(stack, watcher, victims) {
  for (const [i, victim] of victims.entries()) {
    const share = Math.floor((perUser * (i + 1)) / (victims.length + 2));
    await watcher.waitUntil(`item ${share}`, () => watcher.items().length >= share, 60_000);
    assert.ok(watcher.items().length < perUser, 'there is still something to come');
    await stack.kill(victim);
  }
}

function assertOnceInOrder(client) {
  const items = client.items();
  const wanted = Array.from({ length: perUser }, (_, n) => n);
  assert.deepEqual(items.map((item) => Number(item.message)), wanted, 'once each, in the order of publishing');
  assert.deepEqual(items.map((item) => item.notification.seq), wanted.map((n) => n + 1), 'numbers without a gap');
}

export async function survivesKills(stack, victims) {
  const watchers = [];
  for (let i = 0; i < WATCHED; i++) {
    for (const at of [0, 1]) watchers.push(await stack.connect(user(i), { at }));
  }
  const published = stack.publish([...lines()], '--quiet');
  await killAlong(stack, watchers[0], victims);
  const { stdout } = await published;
  assert.match(stdout, new RegExp(`published ${EVENTS}, duplicates 0, failed 0`));

  for (const watcher of watchers) {
    await watcher.waitUntil('all items', () => watcher.items().length >= perUser, 120_000);
    assert.deepEqual(watcher.disconnects, [], 'no socket was lost');
    assertOnceInOrder(watcher);
    await watcher.waitFor('notifications:unread', (unread) => unread.total === perUser);
  }
  for (let i = 0; i < USERS; i++) {
    const verdict = await stack.verify(user(i));
    assert.deepEqual([verdict.seq, verdict.inboxRows, verdict.counted.total], [perUser, perUser, perUser]);
  }
}
