// What operators are shown of the fleet in /ops: that it is true, of every edge, and asked for once however many look.

import assert from 'node:assert/strict';
import * as parser from 'socket.io-msgpack-parser';
import { kyc, request, until, useStack } from './harness.mjs';
import { PollingClient } from './rawpolling.mjs';

const GONE_MS = 40_000; // a lease lasts 15 s, and is looked at every 5 s

const stack = useStack({ edges: 2, audit: 1 });

const operator = async (at = 0, options = {}) =>
  stack.client(`${stack.edge(at).http}/ops`, { auth: { token: await stack.token('olga', '--claim', 'role=ops') }, ...options }).connected();
const named = (stats, name) => stats.edges.filter((edge) => edge.name === name);

// The next picture (from now on) that `accept` likes.
function picture(client, accept = () => true, timeoutMs = undefined) {
  client.mark();
  return client.waitFor('ops:stats', accept, timeoutMs);
}

for (const [name, options] of [['websocket', {}], ['polling', { transports: ['polling'] }], ['msgpack', { parser }]]) {
  stack.test(`${name}: an operator is shown every edge, service and stream`, async () => {
    const olga = await operator(0, options);
    const stats = await picture(olga, ({ services }) => services.every(({ state }) => state === 'up'));
    assert.deepEqual(Object.keys(stats), ['at', 'edges', 'edgesLeftOut', 'services', 'streams']);
    assert.ok(Math.abs(Date.parse(stats.at) - Date.now()) < 60_000, stats.at);
    assert.deepEqual(stats.edges.map(({ name }) => name), ['edge-1', 'edge-2']);
    assert.deepEqual(stats.services.map(({ name }) => name), ['notifications', 'presence', 'chat', 'audit']);
    assert.deepEqual(stats.services.map(({ instance }) => instance), ['notifications', 'presence', 'chat', 'audit']);
    assert.deepEqual(stats.streams.map(({ name }) => name).sort(), ['WW_AUDIT', 'WW_EVENTS']);
    assert.equal(stats.edgesLeftOut, 0);
    const keys = 'id name version address state uptimeS residentBytes sockets polling users queueBytes loopLagUs eventsIn eventsOut bytesIn bytesOut connects closes refusals recoveries latency';
    for (const [i, edge] of stats.edges.entries()) {
      assert.deepEqual(Object.keys(edge), keys.split(' '));
      assert.equal(`http://${edge.address}`, stack.edge(i).http);
      assert.equal(edge.state, 'up');
      assert.ok(edge.residentBytes > 1_000_000 && edge.uptimeS >= 0 && edge.id.startsWith(edge.name));
      assert.equal(edge.latency.buckets.length, 25);
    }
  });
}

stack.test('the numbers are those of what was done', async () => {
  const olga = await operator(0);
  const before = named(await picture(olga), 'edge-2')[0];
  const clients = [await stack.connect('ada', { at: 1 }), await stack.connect('ada', { at: 1 }), await stack.connect('ben', { at: 1, transports: ['polling'] })];
  const expired = stack.sign('late', { iat: 1000, exp: 2000 });
  assert.equal((await stack.client(stack.edge(1).http, { auth: { token: expired } }).refused()).data.code, 'token_expired');
  assert.equal((await request(`${stack.edge(1).http}/socket.io/?EIO=3&transport=polling`)).status, 400);
  await stack.publish([kyc('ada', 1)]);
  for (const client of clients.slice(0, 2)) await client.waitFor('kyc:update');
  assert.equal((await clients[2].ask('nothing:here')).error.code, 'not_found');

  const count = (edge, list, reason) => edge[list][reason] ?? 0;
  const more = (edge, list, reason) => count(edge, list, reason) - count(before, list, reason);
  const there = ({ latency, sockets }) => latency.count >= before.latency.count + 2 && sockets === before.sockets + 3;
  const [edge] = named(await picture(olga, (stats) => there(named(stats, 'edge-2')[0])), 'edge-2');
  assert.equal(edge.polling - before.polling, 1);
  assert.ok([2, 3].includes(edge.users - before.users), 'one whose sockets are on two loops counts twice');
  assert.equal(edge.connects - before.connects, 3);
  assert.equal(edge.eventsIn - before.eventsIn, 1);
  assert.ok(edge.eventsOut - before.eventsOut >= 2);
  assert.ok(edge.bytesOut - before.bytesOut > 500 && edge.bytesIn - before.bytesIn > 300, `${edge.bytesOut} ${edge.bytesIn}`);
  assert.equal(edge.latency.count - before.latency.count, 2);
  assert.equal(edge.latency.buckets.reduce((sum, n) => sum + n), edge.latency.count);
  assert.ok(edge.latency.p50Us > 0 && edge.latency.p50Us <= edge.latency.p99Us);
  assert.equal(more(edge, 'refusals', 'token_expired'), 1);
  assert.equal(more(edge, 'refusals', 'unsupported_version'), 1);

  const closed = count(edge, 'closes', 'client');
  clients[0].close();
  const [later] = named(await picture(olga, (stats) => named(stats, 'edge-2')[0].sockets === edge.sockets - 1), 'edge-2');
  assert.equal(count(later, 'closes', 'client'), closed + 1);
});

stack.test('all who watch at an edge are shown the same pictures, and nobody is asked when nobody watches', async () => {
  const edge = stack.edge(0);
  const calls = () => stack.metric(edge.admin, 'ww_edge_calls_total');
  const uptime = () => stack.metric(edge.admin, 'ww_edge_uptime_seconds');
  const watchers = [await operator(0), await operator(0), await operator(0, { transports: ['polling'] })];
  const times = (client) => client.payloads('ops:stats').map(({ at }) => at);
  for (const client of watchers) await client.waitUntil('three pictures', () => times(client).length >= 3);
  const seen = new Set(watchers.flatMap(times));
  assert.ok(seen.size <= Math.max(...watchers.map((client) => times(client).length)) + 2, `${[...seen]}`);
  assert.ok(watchers.every((client) => times(client).every((at, i, all) => i === 0 || at > all[i - 1])));

  for (const client of watchers) client.close();
  await until('they have left', async () => (await stack.metric(edge.admin, 'ww_edge_sockets')) === 0);
  let settled = await calls();
  await until('what was asked is answered', async () => {
    const [before, at] = [settled, await uptime()];
    await until('a second', async () => (await uptime()) > at);
    settled = await calls();
    return settled === before;
  });
  const since = await uptime();
  await until('three seconds', async () => (await uptime()) >= since + 3);
  assert.ok((await calls()) - settled < 5, 'a sweep may have asked; seven questions a second were not');
});

stack.test('a picture that waits is replaced by the next one', async () => {
  const ports = [Number(new URL(stack.edge(0).http).port)];
  const client = await PollingClient.open(ports);
  await client.post(0, `40/ops,${JSON.stringify({ token: await stack.token('olga', '--claim', 'role=ops') })}`);
  await client.until(0, (packet) => packet.startsWith('40/ops,{"sid"'));
  const conflated = () => stack.metric(stack.edge(0).admin, 'ww_edge_states_conflated_total');
  const before = await conflated();
  await until('three were replaced', async () => (await conflated()) >= before + 3);
  const { body } = await client.get(0);
  assert.equal(body.split('42/ops,["ops:stats",').length, 2, body);
});

stack.test('a stream that nobody processes is seen to grow, and a service that is away to be silent', async () => {
  const olga = await operator(1);
  const waiting = ({ streams }) => streams.find(({ name }) => name === 'WW_EVENTS').waiting;
  const state = ({ services }, service) => services.find(({ name }) => name === service).state;
  await picture(olga, (stats) => waiting(stats) === 0 && state(stats, 'notifications') === 'up');
  await stack.away('notifications', async () => {
    await stack.publish([1, 2, 3, 4, 5].map((n) => kyc('carl', n)));
    const stats = await picture(olga, (now) => state(now, 'notifications') === 'silent' && waiting(now) > 0);
    assert.equal(waiting(stats), 5);
    assert.equal(state(stats, 'presence'), 'up');
  });
  await picture(olga, (stats) => waiting(stats) === 0 && state(stats, 'notifications') === 'up');
});

stack.test('a service without its database is seen to fail', async () => {
  const olga = await operator(0);
  const state = ({ services }) => services.find(({ name }) => name === 'notifications').state;
  await stack.away('postgres', () => picture(olga, (stats) => state(stats) === 'failing'));
  await picture(olga, (stats) => state(stats) === 'up');
});

stack.test('an edge that stands still is silent until it goes on', async () => {
  const olga = await operator(0);
  await stack.connect('dora', { at: 1 });
  await picture(olga, (stats) => named(stats, 'edge-2')[0].sockets === 1);
  const { id } = named(await picture(olga), 'edge-2')[0];
  await stack.frozen('edge-2', async () => {
    const stats = await picture(olga, (now) => named(now, 'edge-2')[0]?.state === 'silent');
    const [edge] = named(stats, 'edge-2');
    assert.equal(edge.id, id);
    assert.equal(`http://${edge.address}`, stack.edge(1).http);
    assert.deepEqual([edge.uptimeS, edge.closes, edge.refusals], [0, {}, {}]);
    assert.equal(named(stats, 'edge-1')[0].state, 'up');
  });
  await picture(olga, (stats) => named(stats, 'edge-2').some((edge) => edge.id === id && edge.state === 'up'));
});

stack.test('an edge that was killed is silent, then gone; the one in its place has another id', async () => {
  const olga = await operator(0);
  const { id } = named(await picture(olga), 'edge-2')[0];
  await stack.kill('edge-2');
  const find = (stats) => stats.edges.find((edge) => edge.id === id);
  await picture(olga, (stats) => find(stats)?.state === 'silent');
  const last = await picture(olga, (stats) => !find(stats), GONE_MS);
  assert.deepEqual(named(last, 'edge-2').map(({ state }) => state), ['up']);
});

stack.test('an edge that drains says so', async () => {
  const olga = await operator(0);
  const { id } = named(await picture(olga), 'edge-2')[0];
  const { code, stderr } = await stack.ww(['drain', id]);
  assert.equal(code, 0, stderr);
  await picture(olga, (stats) => stats.edges.some((edge) => edge.id === id && edge.state === 'draining'));
});

stack.test('who is no operator is shown nothing', async () => {
  const error = await stack.client(`${stack.edge(0).http}/ops`, { auth: { token: await stack.token('nosy') } }).refused();
  assert.equal(error.data.code, 'token_role');
  const alice = await stack.connect('alice');
  await picture(await operator(0));
  assert.deepEqual(alice.payloads('ops:stats'), []);
});
