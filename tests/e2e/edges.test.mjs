// Any edge serves any client: two edges and the load balancer in front of them.

import assert from 'node:assert/strict';
import { kyc, until, useStack } from './harness.mjs';

const stack = useStack({ edges: 2 });

stack.test('sockets on both edges and behind the load balancer get every event once, in order', async () => {
  const devices = [await stack.connect('spread', { at: 0 }), await stack.connect('spread', { at: 1 }), await stack.connect('spread', { at: 'http' })];
  await stack.publish(Array.from({ length: 50 }, (_, i) => kyc('spread', i)));
  for (const device of devices) {
    await device.waitUntil('50 items', () => device.items().length >= 50);
    assert.deepEqual(
      device.items().map((item) => item.level),
      Array.from({ length: 50 }, (_, i) => String(i)),
    );
    assert.deepEqual(
      device.items().map((item) => item.notification.seq),
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
  }
});

stack.test('the load balancer spreads connections over the edges without stickiness', async () => {
  const clients = await Promise.all(Array.from({ length: 6 }, (_, i) => stack.connect(`robin-${i}`, { at: 'http' })));
  const edges = new Set(clients.map((client) => client.socket.io.engine.id.split(/[.-]/).slice(0, 2).join('-')));
  assert.equal(edges.size, 2, `engine ids name their edge: ${clients.map((client) => client.socket.io.engine.id)}`);
});

stack.test('events of one user reach nobody else', async () => {
  const alice = await stack.connect('only-a', { at: 0 });
  const bob = await stack.connect('only-b', { at: 0 });
  await stack.publish([kyc('only-a', 1), kyc('only-b', 2)]);
  await alice.waitFor('kyc:update');
  await bob.waitFor('kyc:update');
  assert.deepEqual(alice.payloads('kyc:update').map((data) => data.level), ['1']);
  assert.deepEqual(bob.payloads('kyc:update').map((data) => data.level), ['2']);
});

stack.test('ids that NATS has a meaning for reach their owner and nobody else', async () => {
  const ids = ['a.b', 'a*', '>', 'sp ace', 'ünïcödé', 'x=2Ey'];
  const clients = new Map();
  for (const id of ids) clients.set(id, await stack.connect(id));
  await stack.publish(ids.map((id) => kyc(id, 7)));
  for (const [id, client] of clients) {
    const item = await client.waitFor('kyc:update');
    assert.equal(item.notification.id, `${id}-7`);
  }
  for (const client of clients.values()) assert.equal(client.payloads('kyc:update').length, 1);
});

stack.test('an edge that is killed loses its sockets, and they come back through the other', async () => {
  const clients = await Promise.all(
    Array.from({ length: 4 }, () => stack.connect('phoenix', { at: 'http', reconnection: true, reconnectionDelay: 100, reconnectionDelayMax: 500 })),
  );
  await stack.kill('edge-1');
  await until('everybody is back', () => clients.every((client) => client.socket.connected));
  assert.ok(clients.some((client) => client.disconnects.length > 0), 'somebody was on it');
  for (const client of clients) client.mark();
  await stack.publish([kyc('phoenix', 1)]);
  for (const client of clients) await client.waitFor('kyc:update', (data) => data.level === '1');
  await stack.waitReady('edge-1');
});
