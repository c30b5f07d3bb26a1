// An edge that goes away under load: its clients are told their time, come back at the other edge, and miss nothing.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import * as msgpack from 'socket.io-msgpack-parser';
import { PRESET, ROOT, kyc, request, until, useStack } from './harness.mjs';

const CLIENTS = 24;
const DRAIN_MS = 3000;

const stack = useStack({ edges: 2, env: { WW_DRAIN_TIME: `${DRAIN_MS}ms` } });

const sequence = (count) => Array.from({ length: count }, (_, i) => i + 1);

const KINDS = [
  { transports: ['websocket'] },
  { transports: ['polling'] },
  { transports: ['polling', 'websocket'] },
  { transports: ['websocket'], parser: msgpack },
  { transports: ['polling'], parser: msgpack },
  { transports: ['polling', 'websocket'], parser: msgpack },
];
const BACK = { reconnection: true, reconnectionDelay: 100, reconnectionDelayMax: 500 };

// HAProxy takes a moment to see that an edge is back.
const bothServe = () =>
  until('HAProxy sends clients to both edges', async () => {
    const some = await Promise.all(sequence(4).map(() => stack.client(stack.url('http'), { auth: { token: stack.sign('looks') } }).connected()));
    const edges = new Set(some.map((client) => client.socket.io.engine.id.split('.')[0]));
    for (const client of some) client.close();
    return edges.size === 2;
  });

// Clients of every kind behind HAProxy, each of a user of its own, that note how they came back.
async function connectAll(prefix) {
  await bothServe();
  return Promise.all(
    sequence(CLIENTS).map(async (n) => {
      const user = `${prefix}-${n}`;
      const client = stack.client(stack.url('http'), { auth: { token: stack.sign(user) }, ...KINDS[n % KINDS.length], ...BACK });
      await client.connected();
      // A session that upgrades may move to the other edge by that, and then has nobody to leave.
      await until('it is on its transport', () => client.socket.io.engine.transport.name === KINDS[n % KINDS.length].transports.at(-1));
      client.user = user;
      client.returns = [];
      client.socket.on('connect', () => client.returns.push({ recovered: client.socket.recovered, at: client.socket.io.engine.id }));
      return client;
    }),
  );
}

// Publishes to everybody, round after round, for as long as `during` takes; returns how many rounds there were.
async function underLoad(clients, during) {
  let rounds = 0;
  let isOver = false;
  const load = (async () => {
    for (; !isOver; rounds++) await stack.publish(clients.map(({ user }) => kyc(user, rounds + 1)));
  })();
  try {
    await during();
  } finally {
    isOver = true;
    await load;
  }
  return rounds;
}

// What everybody has seen when `edge`, whose id begins with `gone`, has let its clients go.
async function assertMoved(clients, gone, rounds) {
  await until('everybody is connected', () => clients.every((client) => client.socket.connected));
  for (const client of clients) {
    await client.waitUntil(`${client.user} has all ${rounds} items`, () => client.items().length >= rounds);
    assert.deepEqual(client.items().map((item) => item.notification.seq), sequence(rounds), `${client.user}: none lost, none doubled`);
    const told = client.payloads('server:drain');
    assert.equal(told.length, client.disconnects.length, `${client.user}: told before, and once: ${client.disconnects}`);
    for (const { reconnectInMs, ...rest } of told) {
      assert.ok(Number.isInteger(reconnectInMs) && reconnectInMs >= 0 && reconnectInMs <= DRAIN_MS, `${reconnectInMs}`);
      assert.deepEqual(rest, {});
    }
    for (const reason of client.disconnects) assert.match(reason, /^transport (close|error)$/, client.user);
    for (const { recovered, at } of client.returns) {
      assert.ok(recovered, `${client.user} recovers`);
      assert.ok(!at.startsWith(gone), `${client.user} is elsewhere: ${at}`);
    }
  }
  const moved = clients.filter((client) => client.disconnects.length > 0);
  assert.ok(moved.length > 0, 'somebody was there');
}

// A handshake through HAProxy ends there sooner or later.
async function isGivenClients(name) {
  const url = `${stack.url('http')}/socket.io/?EIO=4&transport=polling`;
  const sid = /"sid":"([^"]+)"/.exec((await request(url)).body)?.[1];
  if (sid) await request(`${url}&sid=${sid}`, { method: 'POST', body: '1' });
  return sid?.startsWith(`${name}-`);
}

// The id of an edge: `ww stats` knows it.
async function idOf(name) {
  const { stdout } = await stack.ww(['stats', name, '--json']);
  return JSON.parse(stdout).id;
}

stack.test('ww drain: every client is told, recovers at the other edge, and the edge stays up, empty', async () => {
  const clients = await connectAll('asked');
  const gone = await idOf('edge-1');
  let drained;
  const rounds = await underLoad(clients, async () => {
    drained = await stack.ww(['drain', 'edge-1', '--within', `${DRAIN_MS}ms`]);
    await until('everybody is connected', () => clients.every((client) => client.socket.connected));
  });
  assert.equal(drained.code, 0, drained.stderr);
  assert.match(drained.stdout, new RegExp(`^${gone}: [1-9]\\d* sockets are left\n(.*\n)*${gone}: 0 sockets are left\n$`));
  await assertMoved(clients, gone, rounds);

  const { http, admin } = stack.edge(0);
  assert.deepEqual((({ status, body }) => [status, body])(await request(`${admin}/readyz`)), [503, 'draining\n']);
  assert.equal((await request(`${admin}/healthz`)).status, 200);
  const refused = await request(`${http}/socket.io/?EIO=4&transport=polling`);
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  const { code, stdout } = await stack.ww(['stats']);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^${gone} +draining`, 'm'));
  await stack.kill('edge-1', 'SIGTERM');
  await stack.waitReady('edge-1');
});

stack.test('SIGTERM: not ready first, every client is told and recovers at the other edge', async () => {
  const clients = await connectAll('stopped');
  const gone = await idOf('edge-2');
  const { pid, admin } = stack.edge(1);
  const rounds = await underLoad(clients, async () => {
    process.kill(pid, 'SIGTERM');
    await until('it is not ready', async () => (await request(`${admin}/readyz`).catch(() => ({}))).status === 503);
    await until('another one is there', () => stack.edge(1).pid && stack.edge(1).pid !== pid);
    await until('everybody is connected', () => clients.every((client) => client.socket.connected));
  });
  await assertMoved(clients, gone, rounds);
  assert.match(stack.log('edge-2'), new RegExp(`edge ${gone} moves its clients away`));
  await stack.waitReady('edge-2');
});

stack.test('a rolling restart of both edges: a recovery for each edge that a client was on, and nothing else', async () => {
  const clients = await connectAll('rolled');
  const rounds = await underLoad(clients, async () => {
    for (const name of ['edge-1', 'edge-2']) {
      await stack.kill(name, 'SIGTERM');
      await stack.waitReady(name);
      await until('HAProxy hands it clients', () => isGivenClients(name));
    }
    await until('everybody is connected', () => clients.every((client) => client.socket.connected));
  });
  await assertMoved(clients, 'none', rounds);
  for (const { user, returns } of clients) assert.ok(returns.length >= 1 && returns.length <= 2, `${user} came back ${returns.length} times`);
});

stack.test('a second SIGTERM does not wait for anybody', async () => {
  const env = { ...process.env, ...stack.wwEnv, WW_NATS_USER: 'edge', WW_NATS_PASSWORD_FILE: `${stack.wwEnv.WW_NATS_PASSWORDS_DIR}/edge` };
  const edge = spawn(join(ROOT, 'build', PRESET, 'bin', 'ww-edge'), ['--listen=127.0.0.1:0', '--edge-id=third', '--drain-time=1h'], { env });
  try {
    let log = '';
    for (const output of [edge.stdout, edge.stderr]) output.setEncoding('utf8').on('data', (text) => (log += text));
    const ended = new Promise((resolve) => edge.on('exit', (code, signal) => resolve({ code, signal })));
    const port = await until('it listens', () => /listens on port (\d+)/.exec(log)?.[1]);
    await until('it is known', async () => (await stack.ww(['stats', 'third'])).code === 0);
    const client = await stack.connect('patient', { at: `http://127.0.0.1:${port}` });
    edge.kill('SIGTERM');
    await client.waitFor('server:drain');
    edge.kill('SIGTERM');
    assert.deepEqual(await ended, { code: 0, signal: null }, log);
    assert.match(await client.disconnected(), /^transport (close|error)$/);
  } finally {
    edge.kill('SIGKILL');
  }
});

stack.test('an edge that stands still is listed as missing, and nothing waits for it', async () => {
  const silent = await idOf('edge-2');
  await stack.frozen('edge-2', async () => {
    const table = await stack.ww(['stats']);
    assert.equal(table.code, 1);
    assert.match(table.stdout, new RegExp(`^${silent} +missing$`, 'm'));
    assert.match(table.stdout, /^edge-1-\S+ +up /m);
    const lines = (await stack.ww(['stats', '--json'])).stdout.trim().split('\n').map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ name, state }) => [name, state]), [['edge-1', 'up'], ['edge-2', 'missing']]);
    const top = await stack.ww(['top', '--count', '2', '--interval', '100ms']);
    assert.equal(top.code, 0, top.stderr);
    assert.equal(top.stdout.match(/conn\/s/g).length, 2);
    assert.equal(top.stdout.match(/ missing$/gm).length, 2);
  });
  await until('it answers again', async () => (await stack.ww(['stats'])).code === 0);
});

stack.test('what stats tells is what happened', async () => {
  const clients = await connectAll('counted');
  const { numbers } = JSON.parse((await stack.ww(['stats', 'edge-1', '--json'])).stdout);
  const other = JSON.parse((await stack.ww(['stats', 'edge-2', '--json'])).stdout).numbers;
  const both = (read) => read(numbers) + read(other);
  assert.equal(both((n) => n.ww_edge_sockets_by_transport.polling), clients.length / 3);
  assert.equal(both((n) => n.ww_edge_sockets_by_parser.msgpack), clients.length / 2);
  assert.equal(both((n) => n.ww_edge_users), clients.length);
  assert.ok(numbers.process_resident_memory_bytes > 0);
  assert.ok(numbers.ww_edge_nats_messages_total.out > 0);
});
