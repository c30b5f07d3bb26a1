// 50 stock clients of every kind at two edges behind HAProxy, 200 events a second, and something is killed
// again and again: whoever was connected goes on where it was, and sees each item once and in order.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import parser from 'socket.io-msgpack-parser';
import { LONG, ROOT, until, useStack } from './harness.mjs';

const CLIENTS = 50;
const USERS = 25; // two clients each
const PER_SECOND = 200;
const TICK_MS = 100;
const EDGE_KILLS = LONG ? 100 : 6;
const NATS_KILLS = LONG ? 10 : 2;
const SERVICE_KILLS = LONG ? 20 : 3;
const STEADY_MS = 11_000; // one that ran this long is started again at once (scripts/supervisor.sh)
const CALM_MS = 500; // with everybody connected, before the next blow
const TIMEOUT = { timeout: LONG ? 1_500_000 : 240_000 };

const stack = useStack({ edges: 2, notifications: 2 });

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const KINDS = [
  { transports: ['websocket'] },
  { transports: ['polling', 'websocket'] },
  { transports: ['polling'] },
  { transports: ['websocket'], parser },
  { transports: ['polling', 'websocket'], parser },
];

// `ww publish` reading from us at a steady pace: it tries again by itself what could not be stored.
class Flood {
  constructor(name) {
    this.name = name;
    this.sent = 0;
    this.balances = new Map();
    const program = `${ROOT}/build/${stack.env.WW_DEV_PRESET}/bin/ww`;
    this.child = spawn(program, ['publish', '--json', '-', '--quiet'], { cwd: ROOT, env: { ...process.env, ...stack.wwEnv } });
    this.output = '';
    for (const stream of [this.child.stdout, this.child.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
    this.timer = setInterval(() => this.#tick(), TICK_MS);
  }

  user(i) {
    return `${this.name}-${i}`;
  }

  // One of eight is a state.
  #line(n) {
    const user = this.user(n % USERS);
    const i = Math.floor(n / USERS);
    if (i % 8 !== 7) return { id: `${this.name}-${n}`, userIds: [user], payment: { status: 'completed', amount: '1.00', currency: 'EUR', message: String(n) } };
    this.balances.set(user, i);
    return { id: `${this.name}-${n}`, userIds: [user], balance: { walletId: 'w', available_balance: `${i}.00`, pending_balance: '0.00', currency: 'EUR' } };
  }

  #tick() {
    const lines = Array.from({ length: (PER_SECOND * TICK_MS) / 1000 }, () => JSON.stringify(this.#line(this.sent++)));
    this.child.stdin.write(`${lines.join('\n')}\n`);
  }

  // Of user i, in the order of publishing.
  items(i) {
    const all = [];
    for (let n = i; n < this.sent; n += USERS) if (Math.floor(n / USERS) % 8 !== 7) all.push(n);
    return all;
  }

  async stop() {
    clearInterval(this.timer);
    this.child.stdin.end();
    assert.equal(await this.ended, 0, this.output);
    assert.match(this.output, new RegExp(`published ${this.sent}, duplicates 0, failed 0`));
  }
}

async function join(name, i) {
  const options = { ...KINDS[i % KINDS.length], reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 200, timeout: 5_000 };
  const client = await stack.connect(`${name}-${i % USERS}`, { at: 'http', ...options });
  client.returns = [];
  client.socket.on('connect', () => client.returns.push(client.socket.recovered));
  return client;
}

// Kills `times` over, each time when everybody is connected and something more has come.
async function endure(name, times, strike) {
  const clients = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(await join(name, i));
  const flood = new Flood(name);
  try {
    for (let n = 0; n < times; n++) {
      await strike(n);
      await until('everybody is connected', () => clients.every((client) => client.socket.connected), 60_000);
      await sleep(CALM_MS);
    }
  } finally {
    await flood.stop();
  }
  for (const [i, client] of clients.entries()) await check(flood, i % USERS, client);
  return clients;
}

async function check(flood, i, client) {
  const wanted = flood.items(i);
  await client.waitUntil(`all ${wanted.length} items of ${flood.user(i)}`, () => client.items().length >= wanted.length, 60_000);
  assert.deepEqual(client.items().map((item) => Number(item.message)), wanted, 'each once, in the order of publishing');
  assert.deepEqual(client.items().map((item) => item.notification.seq), wanted.map((_, n) => n + 1), 'numbers without a gap');
  await client.waitUntil('the newest balance', () => client.payloads('balance:update').at(-1)?.available_balance === flood.balances.get(flood.user(i)));
  await client.waitUntil('the newest counters', () => client.payloads('notifications:unread').at(-1)?.total === wanted.length);
  assert.ok(client.returns.every((recovered) => recovered), `a fresh session after ${client.returns}`);
  const verdict = await stack.verify(flood.user(i));
  assert.deepEqual([verdict.seq, verdict.counted.total], [wanted.length, wanted.length]);
}

const returns = (clients) => clients.reduce((sum, client) => sum + client.returns.length, 0);

stack.test(
  `the edge that holds most clients is killed ${EDGE_KILLS} times`,
  async (t) => {
    const clients = await endure('edge', EDGE_KILLS, async () => {
      const held = await Promise.all(stack.status().edges.map((edge) => stack.metric(edge.admin, 'ww_edge_sockets')));
      const most = held[0] > held[1] ? 'edge-1' : 'edge-2';
      await stack.kill(most);
      await stack.waitReady(most);
    });
    assert.ok(returns(clients) >= (EDGE_KILLS * CLIENTS) / 3, `${returns(clients)} reconnects`);
    t.diagnostic(`${returns(clients)} reconnects, all recovered`);
  },
  TIMEOUT,
);

stack.test(
  `nats-server is killed ${NATS_KILLS} times`,
  async (t) => {
    const clients = await endure('nats', NATS_KILLS, async (n) => {
      if (n > 1) await sleep(STEADY_MS);
      await stack.kill('nats');
      await stack.waitReady('edge-1');
      await stack.waitReady('edge-2');
    });
    t.diagnostic(`${returns(clients)} reconnects`);
  },
  TIMEOUT,
);

stack.test(
  `one of two notification services is killed ${SERVICE_KILLS} times`,
  async (t) => {
    const clients = await endure('service', SERVICE_KILLS, async (n) => {
      const name = n % 2 ? 'notifications-2' : 'notifications';
      await stack.kill(name);
      await stack.waitReady(name);
    });
    t.diagnostic(`${returns(clients)} reconnects`);
  },
  TIMEOUT,
);
