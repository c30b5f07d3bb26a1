// 50 stock clients of every kind at two edges behind HAProxy, 200 events a second, and something is killed
// again and again: whoever was connected goes on where it was, and sees each item once and in order.

import assert from 'node:assert/strict';
import { Flood, assertSawAll, countReturns, follow } from './flood.mjs';
import { LONG, until, useStack } from './harness.mjs';

const CLIENTS = 50;
const USERS = 25; // two clients each
const PER_SECOND = 200;
const EDGE_KILLS = LONG ? 100 : 6;
const NATS_KILLS = LONG ? 10 : 2;
const SERVICE_KILLS = LONG ? 20 : 3;
const STEADY_MS = 11_000; // one that ran this long is started again at once (scripts/supervisor.sh)
const CALM_MS = 500; // with everybody connected, before the next blow
const TIMEOUT = { timeout: LONG ? 1_500_000 : 240_000 };

const stack = useStack({ edges: 2, notifications: 2 });

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const userOf = (name, i) => `${name}-${i}`;
const isState = (n) => Math.floor(n / USERS) % 8 === 7; // one of eight

// Of all users in turn.
function eventAt(name, n) {
  const event = { id: `${name}-${n}`, userIds: [userOf(name, n % USERS)] };
  if (!isState(n)) return { ...event, payment: { status: 'completed', amount: '1.00', currency: 'EUR', message: String(n) } };
  return { ...event, balance: { walletId: 'w', available_balance: `${Math.floor(n / USERS)}.00`, pending_balance: '0.00', currency: 'EUR' } };
}

// Kills `times` over, each time when everybody is connected and something more has come.
async function endure(name, times, strike) {
  const clients = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(await follow(stack, userOf(name, i % USERS), i));
  const flood = new Flood(stack, (n) => eventAt(name, n), { perSecond: PER_SECOND });
  try {
    for (let n = 0; n < times; n++) {
      await strike(n);
      await until('everybody is connected', () => clients.every((client) => client.socket.connected), 60_000);
      await sleep(CALM_MS);
    }
  } finally {
    await flood.stop();
  }
  for (const [i, client] of clients.entries()) await check(name, flood.sent, i % USERS, client);
  return clients;
}

async function check(name, sent, i, client) {
  const own = Array.from({ length: Math.ceil((sent - i) / USERS) }, (_, k) => i + k * USERS);
  const items = own.filter((n) => !isState(n));
  await assertSawAll(client, items.map((n) => `${name}-${n}`));
  const newest = own.filter(isState).at(-1);
  await client.waitUntil('the newest balance', () => client.payloads('balance:update').at(-1)?.available_balance === (newest && Math.floor(newest / USERS)));
  const verdict = await stack.verify(userOf(name, i));
  assert.deepEqual([verdict.seq, verdict.counted.total], [items.length, items.length]);
}

stack.test(
  `the edge that holds most clients is killed ${EDGE_KILLS} times`,
  async (t) => {
    const clients = await endure('edge', EDGE_KILLS, async () => {
      const held = await Promise.all(stack.status().edges.map((edge) => stack.metric(edge.admin, 'ww_edge_sockets')));
      const most = held[0] > held[1] ? 'edge-1' : 'edge-2';
      await stack.kill(most);
      await stack.waitReady(most);
    });
    assert.ok(countReturns(clients) >= (EDGE_KILLS * CLIENTS) / 3, `${countReturns(clients)} reconnects`);
    t.diagnostic(`${countReturns(clients)} reconnects, all recovered`);
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
    t.diagnostic(`${countReturns(clients)} reconnects`);
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
    t.diagnostic(`${countReturns(clients)} reconnects`);
  },
  TIMEOUT,
);
