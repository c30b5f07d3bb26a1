// Doorbells that never ring: what they would have told arrives by the sweep, also when nothing follows.

import assert from 'node:assert/strict';
import { request, useStack } from './harness.mjs';

const stack = useStack({ edges: 2, env: { WW_TEST_HOOKS: 'true', WW_SWEEP_INTERVAL: '2s' } });

// The next `n` doorbells for anybody are dropped by this edge.
async function drop(edge, n) {
  const { status, body } = await request(`${stack.edge(edge).admin}/test/drop?prefix=ww.rt.user.&n=${n}`, { method: 'POST' });
  assert.ok(status >= 200 && status < 300, `${status} ${body}`);
}

// A socket that has been swept once and is in the regular round.
async function settled(user, at) {
  const device = await stack.connect(user, { at });
  await stack.publish([{ id: `${user}-hello`, userIds: [user], kyc: { status: 'hello', level: '1', message: '' } }]);
  await device.waitFor('kyc:update');
  device.mark();
  return device;
}

const card = (user, n) => ({ id: `${user}-${n}`, userIds: [user], card: { cardId: 'c', last4: '4242', type: 'purchase', merchant: String(n) } });

stack.test('an item whose doorbell was dropped, with nothing after it', async () => {
  const device = await settled('deaf', 0);
  await drop(0, 1);
  await stack.publish([card('deaf', 1)]);
  const item = await device.waitFor('card:activity');
  assert.equal(item.merchant, '1');
  assert.equal(item.notification.unread, 2);
  await device.waitFor('notifications:unread', (unread) => unread.total === 2);
});

stack.test('a balance whose doorbell was dropped, with nothing after it', async () => {
  const device = await settled('broke', 0);
  await drop(0, 1);
  const balance = { walletId: 'w', available_balance: '3.50', pending_balance: '0.00', currency: 'EUR' };
  await stack.publish([{ id: 'broke-b', userIds: ['broke'], balance }]);
  const update = await device.waitFor('balance:update');
  assert.deepEqual([update.walletId, update.available_balance], ['w', 3.5]);
});

stack.test('a counter whose doorbell was dropped, with nothing after it', async () => {
  const other = await settled('counter', 1);
  const device = await stack.connect('counter', { at: 0 });
  await device.waitFor('notifications:unread', (unread) => unread.total === 1);
  device.mark();
  await drop(0, 1);
  assert.deepEqual(await other.ask('notifications:read', { all: true }), { ok: true, changed: 1, unread: 0 });
  await device.waitFor('notifications:unread', (unread) => unread.total === 0);
  await device.waitFor('notifications:changed', (changed) => changed.action === 'read');
});

stack.test('a hole is filled before what follows it, each item once and in order', async () => {
  const device = await settled('holes', 0);
  await drop(0, 1);
  await stack.publish([card('holes', 1)]);
  await stack.verify('holes'); // it was applied: the next one is another doorbell
  await stack.publish([card('holes', 2)]);
  await device.waitFor('card:activity', (data) => data.merchant === '2');
  assert.deepEqual(device.payloads('card:activity').map((data) => data.merchant), ['1', '2']);
});

stack.test('with every doorbell dropped everything arrives all the same', async () => {
  const device = await settled('silence', 0);
  await drop(0, 1_000_000);
  try {
    for (let n = 1; n <= 20; n++) await stack.publish([card('silence', n)]);
    await device.waitUntil('20 items', () => device.items().length >= 20);
    assert.deepEqual(device.items().map((item) => Number(item.merchant)), Array.from({ length: 20 }, (_, i) => i + 1));
  } finally {
    await drop(0, 0);
  }
});

stack.test('a NATS connection that is cut: the sweep after the reconnect finds what was missed', async () => {
  const device = await settled('cut', 0);
  await stack.kill('nats');
  await stack.publish([card('cut', 1)]);
  await device.waitFor('card:activity', (data) => data.merchant === '1');
  assert.deepEqual(device.disconnects, []);
  assert.equal(device.payloads('card:activity').length, 1);
});

stack.test('the hook is not served by an edge that was not told to', async () => {
  const { status } = await request(`${stack.edge(0).http}/test/drop?prefix=ww.&n=1`, { method: 'POST' });
  assert.equal(status, 404, 'never on the port of clients');
});
