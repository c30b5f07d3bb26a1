// The inbox as clients use it: list, seen, read, archive and counters, the same on all of a user's devices.

import assert from 'node:assert/strict';
import { useStack } from './harness.mjs';
import { assertUnread } from './shapes.mjs';

const stack = useStack({ edges: 2 });

const payment = (user, n) => ({
  id: `${user}-${n}`,
  userIds: [user],
  payment: { status: 'completed', amount: `${n}.00`, currency: 'EUR', message: `#${n}` },
});

// A user with `count` unread payments and a device on each of the two edges.
async function userWith(user, count) {
  const phone = await stack.connect(user, { at: 0 });
  const laptop = await stack.connect(user, { at: 1 });
  await stack.publish(Array.from({ length: count }, (_, i) => payment(user, i + 1)));
  for (const device of [phone, laptop]) {
    await device.waitUntil(`${count} items`, () => device.items().length === count);
    await device.waitFor('notifications:unread', (unread) => unread.total === count);
    device.mark();
  }
  return { phone, laptop };
}

async function totals(device, total) {
  const unread = await device.waitFor('notifications:unread', (data) => data.total === total);
  assertUnread(unread);
  return unread;
}

stack.test('a fresh socket is told its counters', async () => {
  const { phone } = await userWith('fresh', 2);
  phone.close();
  const tablet = await stack.connect('fresh', { at: 1 });
  const unread = await totals(tablet, 2);
  assert.deepEqual(unread.byType, { payment: 2 });
  assert.deepEqual(unread.byPriority, { normal: 2 });
});

stack.test('a new user has nothing unread', async () => {
  const device = await stack.connect('nobody-yet');
  const { ok, ...unread } = await device.ask('notifications:unread');
  assert.equal(ok, true);
  assertUnread(unread);
  assert.equal(unread.total, 0);
});

stack.test('unread counts are absolute and equal on two devices', async () => {
  const { phone, laptop } = await userWith('two', 3);
  for (const device of [phone, laptop]) {
    const { ok, ...unread } = await device.ask('notifications:unread');
    assert.equal(ok, true);
    assertUnread(unread);
    assert.deepEqual(unread.byType, { payment: 3 });
  }
});

stack.test('list pages from the newest to the oldest', async () => {
  const { phone } = await userWith('pages', 5);
  const seen = [];
  let before;
  do {
    const page = await phone.ask('notifications:list', { limit: 2, ...(before && { before }) });
    assert.equal(page.ok, true, JSON.stringify(page));
    assert.ok(page.items.length <= 2);
    seen.push(...page.items);
    before = page.next;
  } while (before);
  assert.deepEqual(
    seen.map((item) => item.data.message),
    ['#5', '#4', '#3', '#2', '#1'],
  );
  for (const item of seen) {
    assert.equal(item.event, 'payment');
    assert.equal(item.notification.type, 'payment');
    assert.equal(item.data.notification, undefined);
    assert.ok(['unseen', 'unread'].includes(item.state), item.state);
    assert.deepEqual(Object.keys(item).sort(), ['data', 'event', 'notification', 'state']);
  }
});

stack.test('list filters by type, priority and unread', async () => {
  const { phone } = await userWith('filters', 2);
  await stack.publish([{ id: 'filters-s', userIds: ['filters'], security: { severity: 'high', message: 'New login', action: 'Verify' } }]);
  await phone.waitFor('security:alert');
  const kinds = async (filter) => (await phone.ask('notifications:list', filter)).items.map((item) => item.event);
  assert.deepEqual(await kinds({ types: ['security'] }), ['security:alert']);
  assert.deepEqual(await kinds({ priority: 'critical' }), ['security:alert']);
  assert.deepEqual(await kinds({ types: ['payment'] }), ['payment', 'payment']);
  await phone.ask('notifications:read', { ids: ['filters-s'] });
  assert.deepEqual(await kinds({ unreadOnly: true }), ['payment', 'payment']);
});

stack.test('read by ids lowers the counters of the other device too', async () => {
  const { phone, laptop } = await userWith('reader', 3);
  const read = await phone.ask('notifications:read', { ids: ['reader-2'] });
  assert.deepEqual(read, { ok: true, changed: 1, unread: 2 });
  const changed = await laptop.waitFor('notifications:changed');
  assert.equal(changed.action, 'read');
  assert.deepEqual(changed.ids, ['reader-2']);
  await totals(laptop, 2);
  await totals(phone, 2);

  const again = await phone.ask('notifications:read', { ids: ['reader-2'] });
  assert.deepEqual(again, { ok: true, changed: 0, unread: 2 });
  const item = (await laptop.ask('notifications:list', {})).items.find((one) => one.notification.id === 'reader-2');
  assert.equal(item.state, 'read');
  assert.match(item.readAt, /^\d{4}-.*\.\d{3}Z$/);
});

stack.test('seen up to a number keeps everything unread', async () => {
  const { phone, laptop } = await userWith('seer', 3);
  const { items } = await phone.ask('notifications:list', {});
  const seen = await phone.ask('notifications:seen', { upTo: items[1].notification.seq });
  assert.deepEqual(seen, { ok: true, changed: 2, unread: 3 });
  const changed = await laptop.waitFor('notifications:changed');
  assert.equal(changed.action, 'seen');
  assert.equal(changed.upTo, items[1].notification.seq);
  const states = (await phone.ask('notifications:list', {})).items.map((item) => item.state);
  assert.deepEqual(states, ['unseen', 'unread', 'unread']);
});

stack.test('archive all empties the counters', async () => {
  const { phone, laptop } = await userWith('archivist', 4);
  const archived = await phone.ask('notifications:archive', { all: true });
  assert.deepEqual(archived, { ok: true, changed: 4, unread: 0 });
  const changed = await laptop.waitFor('notifications:changed');
  assert.equal(changed.action, 'archived');
  assert.equal(changed.all, true);
  await totals(laptop, 0);
  await stack.verify('archivist');
});

stack.test('nobody reads or changes the inbox of somebody else', async () => {
  await userWith('owner', 1);
  const thief = await stack.connect('thief');
  assert.deepEqual((await thief.ask('notifications:list', {})).items ?? [], []);
  assert.deepEqual(await thief.ask('notifications:read', { ids: ['owner-1'] }), { ok: true, changed: 0, unread: 0 });
  const forged = await thief.ask('notifications:list', { caller: { userId: 'owner' } });
  assert.equal(forged.ok, false);
  assert.equal(forged.error.code, 'invalid');
});

for (const [what, event, payload, code, field] of [
  ['an unknown field', 'notifications:list', { limmit: 2 }, 'invalid', 'limmit'],
  ['a limit that is text', 'notifications:list', { limit: 'two' }, 'invalid', 'limit'],
  ['a limit above 100', 'notifications:list', { limit: 101 }, 'invalid', 'limit'],
  ['no selection', 'notifications:read', {}, 'invalid', undefined],
  ['an unknown event', 'notifications:explode', {}, 'not_found', undefined],
  ['the channel of somebody else', 'subscribe', { channel: 'user:owner' }, 'forbidden', undefined],
  ['a channel that is a number', 'subscribe', { channel: 7 }, 'invalid', 'channel'],
]) {
  stack.test(`refused with ${code}: ${what}`, async () => {
    const device = await stack.connect('clumsy');
    const answer = await device.ask(event, payload);
    assert.equal(answer.ok, false, JSON.stringify(answer));
    assert.equal(answer.error.code, code);
    assert.ok(answer.error.message.length > 0);
    if (field) assert.equal(answer.error.field, field);
  });
}

stack.test('a channel that was left is quiet, but critical items come through', async () => {
  const device = await stack.connect('quiet');
  assert.deepEqual(await device.ask('unsubscribe', { channel: 'user:quiet' }), { ok: true });
  await stack.publish([payment('quiet', 1), { id: 'quiet-s', userIds: ['quiet'], security: { severity: 'critical', message: 'Look', action: 'Verify' } }]);
  await device.waitFor('security:alert');
  assert.equal(device.payloads('payment').length, 0);

  assert.deepEqual(await device.ask('subscribe', { channel: 'user:quiet' }), { ok: true });
  await stack.publish([payment('quiet', 2)]);
  const next = await device.waitFor('payment');
  assert.equal(next.message, '#2');
});
