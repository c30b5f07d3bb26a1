// What is said to everybody, or to a segment: shown live and in the inbox, counted until it is read, expires
// or is recalled, at every edge.

import assert from 'node:assert/strict';
import { until, useStack } from './harness.mjs';

const stack = useStack({ edges: 2 });

let ids = 0;
// Each test has a country of its own, so that what others announced is not counted.
const place = () => `C${(ids += 1)}`;
const announce = (country, id, more = {}, own = {}) =>
  stack.publish([{ id, title: `News ${id}`, text: 'For some', ...more, announcement: { segment: { countries: [country] }, ...own } }]);

async function connect(user, country, options = {}) {
  return stack.connect(user, { ...options, auth: { token: await stack.token(user, '--claim', `country=${country}`) } });
}

const total = (client) => client.payloads('notifications:unread').at(-1)?.total;
const hasTotal = (client, n) => client.waitUntil(`a total of ${n}`, () => total(client) === n);

stack.test('it is counted before it is shown, at every edge, and only for its segment', async () => {
  const country = place();
  const [here, there, stranger] = [await connect('ann', country), await connect('ann', country, { at: 1 }), await connect('stranger', 'nowhere')];
  for (const client of [here, there, stranger]) await client.waitFor('notifications:unread', (unread) => unread.total === 0);
  await announce(country, 'first', { priority: 'high' });
  for (const client of [here, there]) {
    const shown = await client.waitFor('announcement', (data) => data.id === 'first');
    assert.deepEqual([shown.title, shown.text, shown.priority], ['News first', 'For some', 'high']);
    const names = client.events.map((event) => event.name);
    assert.equal(names[names.indexOf('announcement') - 1], 'notifications:unread');
    const unread = client.payloads('notifications:unread').at(-1);
    assert.deepEqual([unread.total, unread.byType, unread.byPriority], [1, { announcement: 1 }, { high: 1 }]);
  }
  await stack.publish([{ id: 'beside', userIds: ['ann', 'stranger'], kyc: { status: 'approved', level: '1', message: '' } }]);
  assert.equal((await here.waitFor('kyc:update')).notification.unread, 2);
  assert.equal((await stranger.waitFor('kyc:update')).notification.unread, 1);
  assert.deepEqual(stranger.payloads('announcement'), []);
  assert.deepEqual(here.payloads('notifications:unread').at(-1), (({ ok: _, ...counters }) => counters)(await here.ask('notifications:unread')));
});

stack.test('who comes later has it in the counters and in the list, and is not shown it again', async () => {
  const country = place();
  await announce(country, 'before');
  const early = await connect('late', country);
  await hasTotal(early, 1);
  const { items } = await early.ask('notifications:list', { limit: 5 });
  assert.deepEqual([items[0].event, items[0].data.id, items[0].notification.unread, items[0].state], ['announcement', 'before', 1, 'unseen']);
  assert.deepEqual(early.payloads('announcement'), []);
});

stack.test('read on one device, it is read on all of them, whatever order they are read in', async () => {
  const country = place();
  const [phone, laptop] = [await connect('reader', country), await connect('reader', country, { at: 1 })];
  for (const id of ['r1', 'r2', 'r3']) await announce(country, id);
  for (const client of [phone, laptop]) await hasTotal(client, 3);
  assert.deepEqual(await phone.ask('notifications:read', { ids: ['r2'] }), { ok: true, changed: 1, unread: 2 });
  await laptop.waitFor('notifications:changed', (data) => data.action === 'read' && data.ids[0] === 'r2');
  for (const client of [phone, laptop]) await hasTotal(client, 2);
  assert.deepEqual(await laptop.ask('notifications:read', { all: true }), { ok: true, changed: 2, unread: 0 });
  for (const client of [phone, laptop]) await hasTotal(client, 0);
  const fresh = await connect('reader', country);
  await hasTotal(fresh, 0);
  assert.ok((await stack.verify('reader')).consistent);
});

stack.test('a recall takes it back from screens and counters', async () => {
  const country = place();
  const clients = [await connect('misled', country), await connect('misled', country, { at: 1 })];
  const said = await stack.ww(['announce', '--id', 'wrong', '--title', 'Wrong', '--text', 'Not so', '--set', `segment.countries=${country}`]);
  assert.equal(said.code, 0, said.stderr);
  for (const client of clients) await hasTotal(client, 1);
  const { code, stdout } = await stack.ww(['recall', 'announcement', 'wrong']);
  assert.equal(code, 0, stdout);
  for (const client of clients) {
    await client.waitFor('notifications:changed', (data) => data.action === 'recalled' && data.ids[0] === 'wrong');
    await hasTotal(client, 0);
  }
  assert.deepEqual((await clients[0].ask('notifications:list')).items.filter((item) => item.data.id === 'wrong'), []);
});

stack.test('it starts and expires by itself', async () => {
  const country = place();
  const client = await connect('timed', country);
  await hasTotal(client, 0);
  const at = (ms) => new Date(Date.now() + ms).toISOString();
  await announce(country, 'short', { expiresAt: at(4_000) }, { startsAt: at(1_500) });
  assert.equal(total(client), 0);
  await client.waitFor('announcement', (data) => data.id === 'short');
  await hasTotal(client, 1);
  await hasTotal(client, 0);
  const versions = client.payloads('notifications:unread').map((unread) => unread.version);
  assert.deepEqual(versions, [...versions].sort((a, b) => a - b), 'versions only rise');
});

stack.test('another claim in the next token is another segment', async () => {
  const [one, other] = [place(), place()];
  await announce(one, 'of-one');
  await announce(other, 'of-other');
  await announce(other, 'of-other-too');
  const before = await connect('mover', one);
  await hasTotal(before, 1);
  const after = await connect('mover', other, { at: 1 });
  await hasTotal(after, 2);
  assert.ok(after.payloads('notifications:unread').at(-1).version > before.payloads('notifications:unread').at(-1).version);
  await until('the older connection is told', () => total(before) === 2, 80_000);
});

stack.test('what was announced, and what was recalled, while a client was away', async () => {
  const country = place();
  const client = await connect('absent', country, { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 });
  await announce(country, 'seen');
  await client.waitFor('announcement');
  client.socket.io.reconnection(false);
  client.socket.io.engine.close();
  await until('it is away', () => client.disconnects.length > 0);
  await announce(country, 'missed');
  await announce(country, 'missed-and-recalled');
  await stack.ww(['recall', 'announcement', 'missed-and-recalled']);
  client.socket.io.reconnection(true);
  client.socket.connect();
  await client.connected();
  assert.ok(client.socket.recovered);
  await client.waitFor('announcement', (data) => data.id === 'missed');
  await hasTotal(client, 2);
  assert.deepEqual(client.payloads('announcement').map((data) => data.id), ['seen', 'missed']);
});
