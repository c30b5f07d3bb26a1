// Stock clients over every transport and with both parsers: at one edge, with every request at another edge than
// the one before, and through HAProxy, which knows no stickiness.

import assert from 'node:assert/strict';
import { after } from 'node:test';
import * as msgpack from 'socket.io-msgpack-parser';
import { until, useStack } from './harness.mjs';
import { Proxy } from './proxy.mjs';
import { assertShape, assertUnread } from './shapes.mjs';

const MANY = 200;
const ROUNDS = 20;

const WAYS = { polling: ['polling'], upgrade: ['polling', 'websocket'], websocket: ['websocket'] };
const PARSERS = { json: {}, msgpack: { parser: msgpack } };
const KINDS = Object.entries(WAYS).flatMap(([way, transports]) =>
  Object.entries(PARSERS).map(([parser, options]) => ({ name: `${way}-${parser}`, way, parser, options: { transports, ...options } })),
);

const proxies = [];
const stack = useStack({ edges: 2 });
after(() => proxies.forEach((proxy) => proxy.stop()));

async function proxy(options) {
  proxies.push(await Proxy.start(options));
  return proxies.at(-1).url;
}

const edge = (index) => stack.edge(index).http;

// Where clients connect. `relays`: is there an edge that has to ask the other one?
const PLACES = {
  'one edge': { relays: false, url: async () => edge(0) },
  'two edges in turn': { relays: true, url: () => proxy({ pick: (n) => edge(n % 2) }) },
  'never the edge of the session': { relays: true, url: () => proxy({ pick: (n) => edge(n === 0 ? 0 : 1) }) },
  HAProxy: { relays: true, url: async () => stack.status().http },
};

const sequence = (count) => Array.from({ length: count }, (_, i) => i + 1);
const total = async (name) => (await stack.metric(stack.edge(0).admin, name)) + (await stack.metric(stack.edge(1).admin, name));

const AMOUNTS = ['100.00', '0.10', '1234.56', '0', '-5.25', '0.000000000000000001'];

const payment = (user, amount, n) => ({ id: `${user}-p${n}`, userIds: [user], payment: { status: 'completed', amount, currency: 'EUR', message: `#${n}` } });
const kyc = (user, n) => ({ id: `${user}-k${n}`, userIds: [user], kyc: { status: 'approved', level: String(n), message: '' } });

// One client of each kind, each of a user of its own; a proxy each, so that it knows the number of a request.
function connectAll(place, prefix, extra = {}) {
  return Promise.all(
    KINDS.map(async (kind) => {
      const user = `${prefix}-${kind.name}`;
      const client = stack.client(await PLACES[place].url(), { auth: { token: stack.sign(user) }, ...kind.options, ...extra });
      await client.connected();
      return { ...kind, user, client };
    }),
  );
}

// Every client ends on the transport that it is meant to.
const settled = (all) =>
  Promise.all(all.map(({ way, name, client }) => until(`${name} is on its transport`, () => client.socket.io.engine.transport.name === WAYS[way].at(-1))));

for (const [place, { relays }] of Object.entries(PLACES)) {
  const prefix = place.toLowerCase().replaceAll(' ', '-');

  stack.test(`${place}: events arrive once and in order, with exact keys and right amounts`, async () => {
    const all = await connectAll(place, `${prefix}-events`);
    await stack.publish(all.flatMap(({ user }) => AMOUNTS.map((amount, i) => payment(user, amount, i + 1))));
    await settled(all);
    await stack.publish(all.flatMap(({ user }) => sequence(10).map((n) => kyc(user, n))));
    for (const { name, client } of all) {
      await client.waitUntil(`${name}: all items`, () => client.items().length >= AMOUNTS.length + 10);
      const payments = client.payloads('payment');
      assert.deepEqual(payments.map((data) => data.message), AMOUNTS.map((_, i) => `#${i + 1}`), name);
      assert.deepEqual(payments.map((data) => data.amount), AMOUNTS.map(Number), name);
      assert.deepEqual(client.payloads('kyc:update').map((data) => Number(data.level)), sequence(10), name);
      assert.deepEqual(client.items().map((item) => item.notification.seq), sequence(AMOUNTS.length + 10), name);
      for (const data of payments) assertShape('payment', data, { type: 'payment', priority: 'normal' });
      for (const data of client.payloads('kyc:update')) assertShape('kyc:update', data, { type: 'kyc', priority: 'high' });
      assert.deepEqual(client.disconnects, [], name);
    }
  });

  stack.test(`${place}: counters, acknowledgements and errors`, async () => {
    const all = await connectAll(place, `${prefix}-asks`);
    await stack.publish(all.flatMap(({ user }) => sequence(3).map((n) => payment(user, '1.00', n))));
    for (const { user, name, client } of all) {
      const counters = await client.waitFor('notifications:unread', (unread) => unread.total === 3);
      assertUnread(counters);
      assert.deepEqual(await client.ask('notifications:read', { ids: [`${user}-p2`] }), { ok: true, changed: 1, unread: 2 }, name);
      await client.waitFor('notifications:unread', (unread) => unread.total === 2);
      await client.waitFor('notifications:changed', (changed) => changed.action === 'read' && changed.ids.length === 1);
      const list = await client.ask('notifications:list', { unreadOnly: true });
      assert.deepEqual(list.items.map((item) => item.data.message), ['#3', '#1'], name);
      assert.deepEqual(list.items.map((item) => item.data.amount), [1, 1], name);
      const { error } = await client.ask('notifications:list', { limit: 'two' });
      assert.deepEqual([error.code, error.field], ['invalid', 'limit'], name);
      assert.equal((await client.ask('notifications:explode')).error.code, 'not_found', name);
      assert.equal((await client.ask('subscribe', { channel: 'user:somebody' })).error.code, 'forbidden', name);
    }
  });

  stack.test(`${place}: binary in an event is refused with an error, and the socket lives`, async () => {
    for (const { name, client } of await connectAll(place, `${prefix}-bytes`)) {
      const answers = await Promise.all([
        client.ask('notifications:list', { limit: Buffer.from([1, 2, 3]) }),
        client.ask('notifications:unread', { deep: [Buffer.alloc(0), Buffer.alloc(5000, 7)] }),
      ]);
      assert.deepEqual(answers.map(({ ok, error }) => [ok, error.code]), [[false, 'invalid'], [false, 'invalid']], name);
      assert.equal((await client.ask('notifications:unread')).ok, true, name);
      assert.deepEqual(client.disconnects, [], name);
    }
  });

  stack.test(`${place}: with retries every command is answered once, in order`, async () => {
    const all = await connectAll(place, `${prefix}-retries`, { retries: 3, ackTimeout: 10_000 });
    await Promise.all(
      all.map(async ({ name, client }) => {
        const answers = [];
        const each = (n) =>
          new Promise((resolve, reject) => {
            client.socket.emit('subscribe', { channel: `nobody:${n}` }, (error, answer) => {
              answers.push([n, answer?.ok]);
              if (error) reject(error);
              else resolve();
            });
          });
        await Promise.all(sequence(10).map(each));
        assert.deepEqual(answers, sequence(10).map((n) => [n, false]), name);
      }),
    );
  });

  stack.test(`${place}: whoever is refused is told why`, async () => {
    for (const { name, options } of KINDS) {
      const url = await PLACES[place].url();
      const missing = await stack.client(url, options).refused();
      assert.deepEqual(missing.data, { code: 'token_missing' }, name);
      const malformed = await stack.client(url, { ...options, auth: { token: 'let me in' } }).refused();
      assert.deepEqual(malformed.data, { code: 'token_malformed' }, name);
    }
  });

  stack.test(`${place}: clients leave in order`, async () => {
    const before = await total('ww_edge_sockets');
    const all = await connectAll(place, `${prefix}-leave`);
    await settled(all);
    for (const { client } of all) client.close();
    await until('no session is left of them', async () => (await total('ww_edge_sockets')) <= before);
  });

  if (!relays) continue;

  stack.test(`${place}: both edges see requests of one session`, async () => {
    const counts = async () => ({
      relays: await total('ww_edge_relays_total'),
      relayed: await total('ww_edge_relayed_total'),
      timeouts: (await stack.metric(stack.edge(0).admin, 'ww_edge_relays_total', 'status="timeout"')) + (await stack.metric(stack.edge(1).admin, 'ww_edge_relays_total', 'status="timeout"')),
    });
    const client = stack.client(await PLACES[place].url(), { auth: { token: stack.sign(`${prefix}-one`) }, transports: ['polling'] });
    await client.connected();
    const before = await counts();
    for (const n of sequence(10)) assert.equal((await client.ask('notifications:unread')).ok, true, `question ${n}`);
    const now = await counts();
    assert.ok(now.relays >= before.relays + 5, `${now.relays - before.relays} requests went through the other edge`);
    assert.ok(now.relayed >= before.relayed + 5);
    assert.equal(now.timeouts, before.timeouts);
    assert.deepEqual(client.disconnects, []);
  });
}

stack.test('never the edge of the session: an upgrade moves it to the edge of the WebSocket', async () => {
  const upgrades = await stack.metric(stack.edge(1).admin, 'ww_edge_upgrades_total');
  const all = (await connectAll('never the edge of the session', 'moves')).filter(({ way }) => way === 'upgrade');
  await settled(all);
  for (const { client } of all) assert.equal((await client.ask('notifications:unread')).ok, true);
  assert.equal(await stack.metric(stack.edge(1).admin, 'ww_edge_upgrades_total'), upgrades + all.length);
});

// A gate a round: some upgrades begin with each round of events.
function gates(count) {
  const opens = [];
  const gate = sequence(count).map((n) => new Promise((resolve) => (opens[n - 1] = resolve)));
  let next = 0;
  return { open: (n) => opens[n - 1](), hold: () => gate[next++ % count] };
}

stack.test(`${MANY} clients through HAProxy receive ${ROUNDS} events once and in order while they upgrade`, async (t) => {
  const names = ['ww_edge_upgrades_total', 'ww_edge_relays_total', 'ww_edge_relayed_total'];
  const before = await Promise.all(names.map(total));
  const rounds = gates(ROUNDS);
  const url = await proxy({ pick: () => stack.status().http, holdUpgrade: rounds.hold });
  const all = sequence(MANY).map((n) => {
    const { name, way, options } = KINDS[n % KINDS.length];
    const user = `many-${n}`;
    return { name: `${user} ${name}`, user, way, client: stack.client(url, { auth: { token: stack.sign(user) }, ...options }) };
  });
  await Promise.all(all.map(({ client }) => client.connected()));
  for (const n of sequence(ROUNDS)) {
    rounds.open(n);
    await stack.publish(all.map(({ user }) => kyc(user, n)));
  }
  for (const { name, client } of all) {
    await client.waitUntil(`${name}: all events`, () => client.items().length >= ROUNDS);
    assert.deepEqual(client.items().map((item) => Number(item.level)), sequence(ROUNDS), name);
    assert.deepEqual(client.disconnects, [], name);
  }
  await settled(all);
  const upgrading = all.filter(({ way }) => way === 'upgrade').length;
  const [upgrades, relays, relayed] = (await Promise.all(names.map(total))).map((count, i) => count - before[i]);
  assert.equal(upgrades, upgrading);
  assert.ok(relays > MANY, `${relays} requests went through the other edge`);
  t.diagnostic(`${MANY} clients, ${upgrades} upgrades, ${relays} requests to the other edge, ${relayed} messages between edges`);
});
