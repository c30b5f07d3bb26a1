// Where other servers went wrong and the fixture of tests/conformance can't show it: it takes tokens, services that
// are slow, origins or load. The list of all such cases is in tests/conformance/README.md.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { HttpExchange } from '../conformance/wire.mjs';
import { request, until, useStack } from './harness.mjs';
import { frame, PING, RawSocket } from './raw.mjs';
import { PollingClient } from './rawpolling.mjs';

const OWN = 'https://wallet.example';

const stack = useStack({ edges: 1, env: { WW_ALLOWED_ORIGINS: OWN } });

const edgeUrl = () => stack.edge(0).http;
const ports = () => [Number(new URL(edgeUrl()).port)];
const metric = (name, label) => stack.metric(stack.edge(0).admin, name, label);
const sequence = (count) => Array.from({ length: count }, (_, i) => i + 1);
const kyc = (user, n, message = '') => ({ id: `${user}-${n}`, userIds: [user], kyc: { status: 'approved', level: String(n), message } });
const connectPacket = (user) => `40${JSON.stringify({ token: stack.sign(user) })}`;

stack.test('a page of a foreign origin gets no session, by polling or by WebSocket', async () => {
  const handshakes = await metric('ww_edge_handshakes_total');
  const headers = { Origin: 'https://evil.example' };
  const polling = await request(`${edgeUrl()}/socket.io/?EIO=4&transport=polling`, { headers });
  assert.deepEqual([polling.status, JSON.parse(polling.body).code], [403, 4]);
  const answer = await RawSocket.httpAnswer(edgeUrl(), { headers: ['Origin: https://evil.example'] });
  assert.match(answer, /^HTTP\/1\.1 40[03] /);
  assert.doesNotMatch(answer, /101/);
  assert.equal(await metric('ww_edge_handshakes_total'), handshakes);
  const own = await request(`${edgeUrl()}/socket.io/?EIO=4&transport=polling`, { headers: { Origin: OWN } });
  assert.equal(own.status, 200);
});

stack.test('an error has a length and is not sent in chunks', async () => {
  const { headers, status } = await new HttpExchange(ports()[0], { target: '/socket.io/?EIO=4&transport=pigeon' }).answered();
  assert.equal(status, 400);
  assert.ok(Number(headers['content-length']) > 0);
  assert.equal(headers['transfer-encoding'], undefined);
});

stack.test('a second CONNECT while the first is being looked into makes no second socket', async () => {
  const raw = await RawSocket.upgrade(edgeUrl());
  const connects = await metric('ww_edge_connects_total');
  await stack.frozen('notifications', async () => {
    raw.sendText(connectPacket('twice'));
    raw.sendText(connectPacket('twice'));
    await raw.ended();
  });
  assert.equal(raw.closeCode, undefined, 'a packet that no client may send');
  const { ok } = await (await stack.connect('twice')).ask('notifications:unread');
  assert.equal(ok, true);
  assert.equal(await metric('ww_edge_connects_total'), connects + 1);
});

for (const [what, leave] of [
  ['whose connection has gone meanwhile', (raw) => raw.close()],
  [
    'that has left its namespace meanwhile',
    async (raw) => {
      raw.sendText('41');
      raw.send(frame(PING, 'read'));
      await raw.waitPong();
    },
  ],
]) {
  stack.test(`a sign-in is forgotten if it is answered for a client ${what}`, async () => {
    const raw = await RawSocket.upgrade(edgeUrl());
    const [connects, sockets] = [await metric('ww_edge_connects_total'), await metric('ww_edge_sockets')];
    await stack.frozen('notifications', async () => {
      const calls = await metric('ww_edge_calls_total');
      raw.sendText(connectPacket('hasty'));
      await leave(raw);
      if (raw.socket.destroyed) await until('it has gone', async () => (await metric('ww_edge_sockets')) === sockets - 1);
      assert.equal(await metric('ww_edge_calls_total'), calls, 'nothing was answered yet');
    });
    const device = await stack.connect('hasty');
    await stack.publish([kyc('hasty', what.length)]);
    await device.waitFor('kyc:update', (data) => data.level === String(what.length));
    assert.equal(await metric('ww_edge_connects_total'), connects + 1, 'only the device');
    assert.ok(!raw.texts.some((text) => text.startsWith('42') || text.startsWith('40')), `${raw.texts}`);
    raw.close();
  });
}

stack.test('the id that a client is told is not that of its session, which is a secret, nor that of another namespace', async () => {
  const auth = { token: await stack.token('nameless', '--claim', 'role=ops') };
  const client = await stack.client(edgeUrl(), { auth }).connected();
  const ops = client.socket.io.socket('/ops', { auth });
  await until('it has joined', () => ops.connected);
  const ids = [client.socket.io.engine.id, client.socket.id, ops.id];
  assert.equal(new Set(ids).size, 3, `${ids}`);
  for (const id of ids.slice(1)) assert.ok(!ids[0].includes(id));
});

stack.test('a poll is answered with at most 16 packets, which is all that some clients take', async () => {
  const client = await PollingClient.connected(ports(), stack.sign('batched'));
  await stack.publish(sequence(40).map((n) => kyc('batched', n)));
  await stack.verify('batched');
  const counts = [];
  while (!client.packets.some((packet) => packet.includes('"level":"40"'))) {
    const answer = await client.get(0);
    counts.push(answer.body.split('\x1e').length);
    await client.take(0, answer);
  }
  assert.ok(counts.every((count) => count <= 16), `${counts}`);
  const levels = client.packets.filter((packet) => packet.startsWith('42["kyc:update"')).map((packet) => Number(JSON.parse(packet.slice(2))[1].level));
  assert.deepEqual(levels, sequence(40));
});

stack.test('one who reads nothing delays nobody and is closed as a slow consumer', async () => {
  const reader = await stack.connect('audience');
  const raw = await RawSocket.upgrade(edgeUrl());
  raw.sendText(connectPacket('audience'));
  await raw.waitText((text) => text.startsWith('40{"sid"'));
  raw.socket.pause();
  const slow = await metric('ww_edge_closes_total', 'reason="slow_consumer"');
  let count = 0;
  while ((await metric('ww_edge_closes_total', 'reason="slow_consumer"')) === slow) {
    assert.ok(count < 40_000, 'its queue is bounded');
    await stack.publish(sequence(2000).map((n) => kyc('audience', count + n, 'x'.repeat(400))), '--quiet');
    count += 2000;
  }
  await reader.waitUntil('all items', () => reader.items().length >= count);
  assert.deepEqual(reader.items().map((item) => Number(item.level)), sequence(count));
  assert.deepEqual(reader.disconnects, []);
  raw.close();
});

stack.test('no thread is made for a message or a connection', async () => {
  const threads = () => Number(/^Threads:\s+(\d+)/m.exec(readFileSync(`/proc/${stack.edge(0).pid}/status`, 'utf8'))[1]);
  const before = threads();
  const clients = await Promise.all(sequence(50).map((n) => stack.client(edgeUrl(), { auth: { token: stack.sign(`thread-${n}`) } }).connected()));
  await Promise.all(clients.flatMap((client) => sequence(20).map(() => client.ask('notifications:unread'))));
  assert.equal(threads(), before);
});
