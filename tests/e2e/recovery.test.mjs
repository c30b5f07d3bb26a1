// Connection state recovery: what a stock client missed while it was away, at any edge, without a store.

import assert from 'node:assert/strict';
import parser from 'socket.io-msgpack-parser';
import { until, useStack } from './harness.mjs';

const stack = useStack({ edges: 2 });

const HOUR_AGO = Math.floor(Date.now() / 1000) - 3600;
const EXPIRED = ['--claim', `iat=${HOUR_AGO - 60}`, '--claim', `exp=${HOUR_AGO}`];
const AWAY = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 };
const kyc = (user, n) => ({ id: `${user}-${n}`, userIds: [user], kyc: { status: 'approved', level: String(n), message: '' } });
const range = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const levels = (client) => client.payloads('kyc:update').map((data) => Number(data.level));
const outcomes = async (outcome) => {
  const bodies = await Promise.all(stack.status().edges.map(async (edge) => (await fetch(`${edge.admin}/metrics`)).text()));
  const line = new RegExp(`^ww_edge_recoveries_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm');
  return bodies.reduce((sum, body) => sum + Number(line.exec(body)?.[1] ?? 0), 0);
};

// Off the network, without a word to the server.
const vanish = (client) => client.socket.io.engine.close();

// A client that is away while `missed` is published and stored, and then back.
async function away(client, missed) {
  const gone = client.disconnects.length;
  client.socket.io.reconnection(false);
  vanish(client);
  await until('it is away', () => client.disconnects.length > gone);
  if (missed.length) {
    const [user] = missed[0].userIds;
    const { seq } = await stack.verify(user);
    await stack.publish(missed);
    await until('it is stored', async () => (await stack.verify(user)).seq === seq + missed.length);
  }
  client.socket.io.reconnection(true);
  client.socket.connect();
  await client.connected();
}

for (const transports of [['websocket'], ['polling']]) {
  for (const encoding of ['text', 'msgpack']) {
    const options = { ...AWAY, transports, at: 'http', ...(encoding === 'msgpack' && { parser }) };
    const name = `${transports}, ${encoding}`;

    stack.test(`${name}: what was missed comes once and in order, under the same id`, async () => {
      const user = `away-${transports}-${encoding}`;
      const client = await stack.connect(user, options);
      const { id } = client.socket;
      await stack.publish(range(1, 3).map((n) => kyc(user, n)));
      await client.waitFor('kyc:update', (data) => data.level === '3');
      await away(client, range(4, 9).map((n) => kyc(user, n)));
      assert.ok(client.socket.recovered);
      assert.equal(client.socket.id, id);
      await client.waitFor('kyc:update', (data) => data.level === '9');
      await stack.publish([kyc(user, 10)]);
      await client.waitFor('kyc:update', (data) => data.level === '10');
      assert.deepEqual(levels(client), range(1, 10));
      assert.deepEqual(client.payloads('kyc:update').map((data) => data.notification.seq), range(1, 10));
    });

    stack.test(`${name}: a client that has received no item yet recovers as well`, async () => {
      const user = `empty-${transports}-${encoding}`;
      const client = await stack.connect(user, options);
      await away(client, [kyc(user, 1), kyc(user, 2)]);
      assert.ok(client.socket.recovered);
      await client.waitFor('kyc:update', (data) => data.level === '2');
      assert.deepEqual(levels(client), [1, 2]);
    });
  }
}

stack.test('the counters of now follow what was missed', async () => {
  const client = await stack.connect('counted', AWAY);
  await away(client, range(1, 5).map((n) => kyc('counted', n)));
  await client.waitFor('notifications:unread', (data) => data.total === 5);
  const names = client.events.map((event) => event.name);
  assert.ok(names.lastIndexOf('notifications:unread') > names.lastIndexOf('kyc:update'), `${names}`);
});

stack.test('it recovers at another edge after the death of its own', async () => {
  const clients = await Promise.all(range(1, 6).map((n) => stack.connect('survivor', { ...AWAY, at: 'http' })));
  const ids = clients.map((client) => client.socket.id);
  await stack.publish([kyc('survivor', 1)]);
  for (const client of clients) await client.waitFor('kyc:update', (data) => data.level === '1');
  const killed = stack.kill('edge-1');
  await stack.publish([kyc('survivor', 2)]);
  await killed;
  await until('everybody is back', () => clients.every((client) => client.socket.connected));
  await stack.publish([kyc('survivor', 3)]);
  for (const [i, client] of clients.entries()) {
    await client.waitFor('kyc:update', (data) => data.level === '3');
    assert.deepEqual(levels(client), [1, 2, 3]);
    assert.equal(client.socket.id, ids[i]);
    if (client.disconnects.length) assert.ok(client.socket.recovered);
  }
  assert.ok(clients.some((client) => client.disconnects.length > 0), 'somebody was on it');
  await stack.waitReady('edge-1');
});

stack.test('more than 500 missed items: a fresh session, and the reason is counted', async () => {
  const client = await stack.connect('long-gone', AWAY);
  const { id } = client.socket;
  const before = await outcomes('too_many');
  await away(client, range(1, 501).map((n) => kyc('long-gone', n)));
  assert.equal(client.socket.recovered, false);
  assert.notEqual(client.socket.id, id);
  assert.equal(await outcomes('too_many'), before + 1);
  await stack.publish([kyc('long-gone', 600)]);
  await client.waitFor('kyc:update', (data) => data.level === '600');
  assert.deepEqual(levels(client), [600]);
});

stack.test('exactly 500 missed items are replayed', async () => {
  const client = await stack.connect('just-back', AWAY);
  await away(client, range(1, 500).map((n) => kyc('just-back', n)));
  assert.ok(client.socket.recovered);
  await client.waitFor('kyc:update', (data) => data.level === '500');
  assert.deepEqual(levels(client), range(1, 500));
});

stack.test('120 items of 8 KB, in more pages than one, come through', async () => {
  const text = 'x'.repeat(3_900);
  const client = await stack.connect('heavy', AWAY);
  const heavy = (n) => ({ id: `heavy-${n}`, userIds: ['heavy'], title: text, text, kyc: { status: 'approved', level: String(n), message: text } });
  await away(client, range(1, 120).map(heavy));
  assert.ok(client.socket.recovered);
  await client.waitFor('kyc:update', (data) => data.level === '120');
  assert.deepEqual(levels(client), range(1, 120));
});

stack.test('signing in as somebody else on the same socket object recovers nothing of the first', async () => {
  const client = await stack.connect('first-user', AWAY);
  await stack.publish([kyc('first-user', 1)]);
  await client.waitFor('kyc:update');
  const before = await outcomes('bad_pid');
  const { id } = client.socket;
  vanish(client);
  client.socket.auth = { token: await stack.token('second-user') };
  client.mark();
  client.socket.disconnect().connect();
  await client.connected();
  assert.notEqual(client.socket.id, id);
  assert.equal(client.socket.recovered, false);
  await stack.publish([kyc('second-user', 7), kyc('first-user', 2)]);
  await client.waitFor('kyc:update', (data) => data.level === '7');
  assert.deepEqual(client.since().filter((event) => event.name === 'kyc:update').map((event) => event.data.level), ['7']);
  assert.equal(await outcomes('bad_pid'), before + 1);
});

stack.test('the same user who signed out and in again is recovered too', async () => {
  const client = await stack.connect('in-and-out', AWAY);
  await stack.publish([kyc('in-and-out', 1)]);
  await client.waitFor('kyc:update');
  client.socket.disconnect();
  await stack.publish([kyc('in-and-out', 2)]);
  client.socket.connect();
  await client.connected();
  await client.waitFor('kyc:update', (data) => data.level === '2');
  assert.deepEqual(levels(client), [1, 2]);
});

stack.test('a token is judged again: an expired one is refused', async () => {
  const client = await stack.connect('expired', AWAY);
  client.socket.auth = { token: await stack.token('expired', ...EXPIRED) };
  vanish(client);
  const error = await client.refused();
  assert.equal(error.data.code, 'token_expired');
});

stack.test('an older connection with the same pid goes', async () => {
  const first = await stack.connect('twin', { at: 0 });
  const pid = first.socket._pid;
  assert.ok(pid);
  const second = stack.client(stack.edge(1).http, { auth: { token: await stack.token('twin'), pid } });
  await second.connected();
  assert.equal(second.socket.id, first.socket.id);
  await until('the first one was closed', () => first.disconnects.length === 1);
  await stack.publish([kyc('twin', 1)]);
  await second.waitFor('kyc:update');
});
