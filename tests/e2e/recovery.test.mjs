// Connection state recovery: what a stock client missed while it was away, at any edge, without a store.

import assert from 'node:assert/strict';
import parser from 'socket.io-msgpack-parser';
import { kyc, until, useStack } from './harness.mjs';
import { Proxy } from './proxy.mjs';

const stack = useStack({ edges: 2 });

const HOUR_AGO = Math.floor(Date.now() / 1000) - 3600;
const EXPIRED = ['--claim', `iat=${HOUR_AGO - 60}`, '--claim', `exp=${HOUR_AGO}`];
const AWAY = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 };
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

const deposit = (user, n) => ({
  id: `${user}-deposit-${n}`,
  userIds: [user],
  deposit: { referenceId: `d-${n}`, status: 'completed', amount: '1.00', currency: 'EUR', message: '' },
});

// The edge that holds the client is killed, and the client comes back at whichever edge it finds.
async function die(client) {
  const gone = client.disconnects.length;
  const { id } = client.socket;
  const holder = stack.status().edges.findIndex((edge) => client.socket.io.engine.id.startsWith(`${edge.id}-`));
  await stack.kill(`edge-${holder + 1}`);
  await until('it has lost its edge', () => client.disconnects.length > gone);
  await client.connected();
  assert.ok(client.socket.recovered);
  assert.equal(client.socket.id, id);
  await stack.waitReady(`edge-${holder + 1}`);
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

const slowCloses = async () => {
  const body = await (await fetch(`${stack.edge(0).admin}/metrics`)).text();
  return Number(/^ww_edge_closes_total\{reason="slow_consumer"\} (\d+)$/m.exec(body)[1]);
};

stack.test('a client that stops reading is closed as slow, and misses nothing', async () => {
  const client = await stack.connect('slow', { ...AWAY, at: 0 });
  const { ws } = client.socket.io.engine.transport;
  const before = await slowCloses();
  ws.pause();
  await stack.publish(range(1, 400).map((n) => ({ ...kyc('slow', n), kyc: { status: 'approved', level: String(n), message: 'x'.repeat(4000) } })));
  await until('it is closed as slow', async () => (await slowCloses()) > before);
  ws.resume();
  await client.waitFor('kyc:update', (data) => data.level === '400');
  assert.ok(client.socket.recovered);
  assert.deepEqual(levels(client), range(1, 400));
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

// Its own edge is never asked by it directly, so only the other one can tell it.
stack.test('a client that polls through another edge is told when its own is killed', async () => {
  const proxy = await Proxy.start({ pick: (n) => stack.edge(n === 0 ? 0 : 1).http });
  try {
    const client = await stack.connect('behind', { ...AWAY, at: proxy.url, transports: ['polling'] });
    await stack.publish([kyc('behind', 1)]);
    await client.waitFor('kyc:update');
    const { id } = client.socket.io.engine;
    await stack.kill('edge-1');
    await stack.publish([kyc('behind', 2)]);
    await until('it is back, long before a ping is overdue', () => client.socket.connected && client.socket.io.engine.id !== id);
    assert.ok(client.socket.recovered);
    await client.waitFor('kyc:update', (data) => data.level === '2');
    assert.deepEqual(levels(client), [1, 2]);
  } finally {
    proxy.stop();
  }
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

stack.test('60 items of 48 KB, in more pages than ten, come through a queue of 1 MiB', async () => {
  const text = '\u{1f4b6}'.repeat(4_000);
  const big = (n) => ({ id: `big-${n}`, userIds: ['big'], title: String(n), text, security: { severity: 'low', message: text, action: text } });
  const client = await stack.connect('big', AWAY);
  await away(client, range(1, 60).map(big));
  assert.ok(client.socket.recovered);
  await client.waitFor('security:alert', (data) => data.notification.seq === 60);
  const alerts = client.payloads('security:alert');
  assert.deepEqual(alerts.map((data) => data.notification.seq), range(1, 60));
  assert.ok(alerts.every((data) => data.message === text && data.action === text && data.notification.text === text));
});

// The edge dies right after it has answered: what it said must hold at the next one.
stack.test('channels that were left stay left when the edge dies, and are joined by a fresh session', async () => {
  const user = 'leaver';
  const client = await stack.connect(user, { ...AWAY, at: 'http' });
  for (const n of [1, 2]) {
    assert.deepEqual(await client.ask('unsubscribe', { channel: `transactions:${user}` }), { ok: true });
    await die(client);
    await stack.publish([deposit(user, n), kyc(user, n)]);
    await client.waitFor('kyc:update', (data) => data.level === String(n));
    assert.deepEqual(client.payloads('deposit'), []);
  }
  assert.deepEqual(await client.ask('subscribe', { channel: `transactions:${user}` }), { ok: true });
  await die(client);
  await stack.publish([deposit(user, 3)]);
  await client.waitFor('deposit');
  await client.ask('unsubscribe', { channel: `transactions:${user}` });
  const fresh = await stack.connect(user);
  await stack.publish([deposit(user, 4)]);
  await fresh.waitFor('deposit');
});

stack.test('a transfer that was tracked is followed again, from where it stands now', async () => {
  const transfer = (n, progress) => ({
    id: `tr-away/${n}`,
    userIds: ['sender', 'receiver'],
    transfer: { transferId: 'tr-away', state: 'processing', progress, amount: '1.00', currency: 'EUR' },
  });
  const client = await stack.connect('sender', { ...AWAY, at: 'http' });
  await stack.publish([transfer(1, 10)]);
  await until('it is known', async () => (await client.ask('transfer:track', { transferId: 'tr-away' })).transfer?.progress === 10);
  await away(client, []);
  assert.ok(client.socket.recovered);
  await client.waitFor('transfer:update', (data) => data.progress === 10);
  const dead = die(client);
  await stack.publish([transfer(2, 20)]);
  await dead;
  await client.waitFor('transfer:update', (data) => data.progress === 20);
  await stack.publish([transfer(3, 30)]);
  await client.waitFor('transfer:update', (data) => data.progress === 30);
  assert.deepEqual(await client.ask('transfer:untrack', { transferId: 'tr-away' }), { ok: true });
  await away(client, [kyc('sender', 1)]);
  client.mark();
  await stack.publish([transfer(4, 40), kyc('sender', 2)]);
  await client.waitFor('kyc:update', (data) => data.level === '2');
  assert.deepEqual(client.payloads('transfer:update'), []);
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
  const { id, _pid: pid } = first.socket; // which it may have lost before we look again
  assert.ok(pid);
  const second = stack.client(stack.edge(1).http, { auth: { token: await stack.token('twin'), pid } });
  await second.connected();
  assert.equal(second.socket.id, id);
  await until('the first one was closed', () => first.disconnects.length === 1);
  await stack.publish([kyc('twin', 1)]);
  await second.waitFor('kyc:update');
});

// Last: nobody goes on from here. PostgreSQL ends its recovery from an archive on a new timeline.
stack.test('a database that was restored begins another history: every session starts afresh', async () => {
  const here = await stack.connect('restored', { ...AWAY, at: 0 });
  const gone = await stack.connect('restored', { ...AWAY, at: 1 });
  const ids = [here.socket.id, gone.socket.id];
  const before = await outcomes('epoch');
  await stack.publish([kyc('restored', 1)]);
  for (const client of [here, gone]) await client.waitFor('kyc:update');
  gone.socket.io.reconnection(false);
  vanish(gone);
  await stack.restorePostgres();
  await stack.publish([kyc('restored', 2)]);
  await until('the one that was there was sent away', () => here.disconnects.length > 0);
  await until('it is back', () => here.socket.connected);
  gone.socket.io.reconnection(true);
  gone.socket.connect();
  await gone.connected();
  for (const [i, client] of [here, gone].entries()) {
    assert.equal(client.socket.recovered, false);
    assert.notEqual(client.socket.id, ids[i]);
  }
  assert.ok((await outcomes('epoch')) >= before + 1);
  await stack.publish([kyc('restored', 3)]);
  for (const client of [here, gone]) {
    await client.waitFor('kyc:update', (data) => data.level === '3');
    assert.equal(levels(client).filter((level) => level === 3).length, 1);
  }
});
