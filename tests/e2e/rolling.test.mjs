// Every process of a whole system is restarted in good order, one at a time, while everybody is at work: nothing is
// lost, nothing is shown twice, and nobody comes back but those whose edge went, once.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Flood, assertSawAll, countReturns, follow } from './flood.mjs';
import { seen, statusesOf } from './friends.mjs';
import { LONG, ROOT, until, useStack } from './harness.mjs';
import { assertSaid, countShown, everybodySpoke, gather, sumOf } from './talkers.mjs';

const ROUNDS = LONG ? 5 : 1;
const READERS = 15; // three of each kind of client, each a user of its own
const TALKERS = 10;
const PER_SECOND = 100; // events that are published for readers
const PAY_EVERY_MS = 50;
const TURN_EVERY_MS = 200;
const DRAIN_MS = 2_000;
const STEP_MS = 60_000;
const TIMEOUT = { timeout: LONG ? 900_000 : 180_000 };

const stack = useStack(
  {
    edges: 2,
    notifications: 2,
    presence: 2,
    chat: 2,
    audit: 2,
    outbox: true,
    env: { WW_DRAIN_TIME: `${DRAIN_MS}ms`, WW_STATUS_RATE: '20', WW_HISTORY: '1000', WW_CHAT_RATE: '20', WW_CHAT_BURST: '40' },
  },
  () => stack.psql('wallet', '-f', join(ROOT, 'examples/outbox.sql')),
);

// Two replicas are there: while one restarts, the other one answers, and nobody who asks may notice.
const SERVICES = ['notifications', 'notifications-2', 'presence', 'presence-2', 'chat', 'chat-2', 'outbox', 'audit', 'audit-2'];
const EDGES = ['edge-1', 'edge-2'];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sequence = (count) => Array.from({ length: count }, (_, i) => i);

const readerAt = (i) => `reader-${i % READERS}`;
const talkerAt = (i) => `talker-${i % TALKERS}`;
const eventAt = (n) => ({ id: `roll-${n}`, userIds: [readerAt(n)], payment: { status: 'completed', amount: '1.00', currency: 'EUR', message: String(n) } });

// Does `act(n)` again and again, and counts, until it is stopped.
class Loop {
  constructor(everyMs, act) {
    this.done = 0;
    this.over = (async () => {
      for (; !this.stopped; this.done++) {
        await act(this.done);
        await sleep(everyMs);
      }
    })();
    this.over.catch((error) => (this.failure = error));
  }

  stop() {
    this.stopped = true;
    return this.over;
  }

  async goesOn(what) {
    const before = this.done;
    await until(what, () => {
      if (this.failure) throw this.failure;
      return this.done > before + 1;
    }, STEP_MS);
  }
}

// The wallet pays again and again, each payment once: what came of a failed attempt is read from the wallet's version.
const paid = () => stack.psql('wallet', '-c', "SELECT version FROM wallets WHERE id = 'w1'").then(([n]) => Number(n));

async function pay(n) {
  for (;;) {
    try {
      if ((await paid()) > n) return;
      await stack.psql('wallet', '-c', `SELECT wallet_pay('w1', 'q${n}', 0.01)`);
    } catch {
      await sleep(PAY_EVERY_MS); // PostgreSQL restarts
    }
  }
}

// A friend who is away and online in turn, each time seen by the one who watches.
async function turn(mover, watcher, n) {
  const status = n % 2 ? 'online' : 'away';
  await mover.insist('presence:set', { status });
  await watcher.client.waitUntil(`${mover.user} is ${status}`, () => seen(watcher.client, mover.user) === status, STEP_MS);
}

async function beginLoad() {
  const readers = [];
  for (let i = 0; i < READERS; i++) readers.push(await follow(stack, readerAt(i), i));
  const payer = await follow(stack, 'alice', 0);
  const members = sequence(TALKERS).map((r) => [talkerAt(r), talkerAt(r + 1), ...(r % 2 ? [talkerAt(r + 2), talkerAt(r + 5)] : [])]);
  const { talkers, rooms } = await gather(stack, sequence(TALKERS).map(talkerAt), members);
  const { code, stderr } = await stack.ww(['friends', 'add', ...sequence(TALKERS).map(talkerAt)]);
  assert.equal(code, 0, stderr);
  for (const talker of talkers) talker.talk();
  const [watcher, mover] = talkers;
  await watcher.client.waitUntil('friends are seen', () => seen(watcher.client, mover.user) === 'online');
  return {
    readers,
    payer,
    talkers,
    rooms,
    clients: [...readers, payer, ...talkers.map(({ client }) => client)],
    flood: new Flood(stack, eventAt, { perSecond: PER_SECOND }),
    payments: new Loop(PAY_EVERY_MS, pay),
    turns: new Loop(TURN_EVERY_MS, (n) => turn(mover, watcher, n)),
  };
}

async function endLoad(load) {
  await Promise.allSettled([load.payments.stop(), load.turns.stop(), ...load.talkers.map((talker) => talker.stop())]);
  await load.flood.stop();
  for (const { failure } of [load.payments, load.turns, ...load.talkers]) if (failure) throw failure;
}

// Connected, and not about to move to another edge by an upgrade. One that was refused is not tried again.
const isCalm = ({ socket }) => socket.connected && !socket.io.engine.upgrading;

// Everything that was begun after now gets to its end, for everybody.
async function everythingGoesOn({ clients, readers, payer, payments, turns, talkers, flood }) {
  const { sent } = flood;
  await until('everybody is connected', () => clients.every(isCalm), STEP_MS);
  await Promise.all([everybodySpoke(talkers), payments.goesOn('the wallet pays'), turns.goesOn('the watcher sees friends')]);
  const shown = payments.done;
  await payer.waitUntil('payments are shown', () => payer.payloads('payment').length >= shown, STEP_MS);
  for (const [i, reader] of readers.entries())
    await reader.waitUntil('events are shown', () => reader.items().length > 0 && Number(reader.items().at(-1).message) >= sent - READERS + (i > 0 ? 0 : 1), STEP_MS);
}

// Who came back meanwhile, and how often; nobody else lost the connection either. What a client tries in vain before
// it is back is no comeback.
async function comebacks(clients, during) {
  const before = clients.map(({ returns, disconnects }) => [returns.length, disconnects.length]);
  await during();
  return clients.map(({ returns, disconnects }, i) => {
    const back = returns.length - before[i][0];
    if (back === 0) assert.equal(disconnects.length, before[i][1], `${disconnects}`);
    return back;
  });
}

// Whose requests go through NATS where they reach the wrong edge: without an answer its session ends.
const isPolling = ({ socket }) => socket.io.engine.transport.name === 'polling';

const endingsOf = (name) => [...stack.log('supervisor').matchAll(new RegExp(`^\\S+ ${name}: ended with status (\\d+)`, 'gm'))].map(([, status]) => Number(status));

// Restarts one process in good order, and waits until everybody's work goes on.
async function restart(load, name, signal) {
  const began = Date.now();
  const held = EDGES.includes(name) ? await stack.metric(stack.edge(EDGES.indexOf(name)).admin, 'ww_edge_sockets') : 0;
  const mayEnd = load.clients.map((client) => name === 'nats' && isPolling(client));
  const failed = sumOf(load.talkers, 'retries');
  const back = await comebacks(load.clients, async () => {
    if (name === 'haproxy') await stack.reloadHaproxy();
    else await stack.kill(name, signal);
    if ([...EDGES, ...SERVICES].includes(name)) await stack.waitReady(name, STEP_MS);
    else for (const other of [...EDGES, ...SERVICES]) await stack.waitReady(other, STEP_MS);
    await everythingGoesOn(load);
  });
  // nats-server says 1 after SIGTERM, whatever happened.
  assert.ok(endingsOf(name).every((status) => status === 0 || name === 'nats'), `${name} ends well: ${endingsOf(name)}`);
  assert.ok(Math.max(...back) <= 1, `${name}: comebacks ${back}`);
  const moved = back.filter((n, i) => n > 0 && !mayEnd[i]).length;
  assert.equal(moved, held, `${name} held ${held} sockets: comebacks ${back}`);
  const unanswered = sumOf(load.talkers, 'retries') - failed;
  if (SERVICES.includes(name)) assert.equal(unanswered, 0, `${name} restarts: no question is lost, ${load.talkers.flatMap((t) => t.unanswered)}`);
  return { name, ms: Date.now() - began, back: back.filter(Boolean).length, unanswered };
}

// From when it was first seen: friendships are made while people are online.
function assertNeverGone(viewer, friend) {
  const statuses = statusesOf(viewer.client, friend.user);
  const first = statuses.findIndex((status) => status !== 'offline');
  assert.ok(first >= 0 && !statuses.slice(first).includes('offline'), `${viewer.user} never takes ${friend.user} for gone: ${statuses}`);
}

async function assertPayments(payer, count) {
  await payer.waitUntil(`all ${count} payments`, () => payer.payloads('payment').length >= count, STEP_MS);
  assert.deepEqual(payer.payloads('payment').map(({ id }) => id), sequence(count).map((n) => `q${n}`), 'each payment once, in order');
  await payer.waitUntil('the newest balance', () => payer.payloads('balance:update').at(-1)?.available_balance === (10_000 - count) / 100, STEP_MS);
}

// Who was told what is in the record once.
async function assertRecord(user, count) {
  const told = await until('the record has everything', async () => {
    const { code, stdout, stderr } = await stack.ww(['audit', 'who-was-told', '--user', user, '--json']);
    assert.equal(code, 0, stderr);
    const lines = stdout.trim().split('\n').filter(Boolean);
    return lines.length >= count && lines;
  }, STEP_MS);
  assert.deepEqual([told.length, new Set(told.map((line) => JSON.parse(line).seq)).size], [count, count]);
  const { code, stdout, stderr } = await stack.ww(['audit', 'verify']);
  assert.equal(code, 0, stdout + stderr);
}

async function assertNothingLost({ flood, readers, payer, payments, talkers, rooms }) {
  for (const [i, reader] of readers.entries())
    await assertSawAll(reader, sequence(flood.sent).filter((n) => n % READERS === i).map((n) => `roll-${n}`));
  await assertPayments(payer, payments.done);
  const [watcher, ...friends] = talkers;
  for (const friend of friends) {
    assertNeverGone(watcher, friend);
    assertNeverGone(friend, watcher);
  }
  const lines = await assertSaid(stack, talkers, rooms);
  await stack.verifyAll([...sequence(READERS).map(readerAt), ...sequence(TALKERS).map(talkerAt), 'alice']);
  await stack.assertNoDeadLetters();
  await assertRecord('alice', payments.done);
  return lines;
}

stack.test(
  `everything is restarted, one process at a time, ${ROUNDS === 1 ? 'once' : `${ROUNDS} times`}`,
  async (t) => {
    const began = Date.now();
    const steps = [...SERVICES, ...EDGES, 'nats', 'haproxy', 'postgres'];
    const load = await beginLoad();
    const done = [];
    try {
      await everythingGoesOn(load);
      for (let round = 0; round < ROUNDS; round++)
        for (const name of steps) done.push(await restart(load, name, name === 'postgres' ? 'SIGINT' : 'SIGTERM'));
    } finally {
      await endLoad(load);
    }
    const lines = await assertNothingLost(load);
    for (const { name, ms, back, unanswered } of done) t.diagnostic(`${name}: ${ms} ms, ${back} clients came back, ${unanswered} questions asked again`);
    t.diagnostic(
      `${load.flood.sent} events, ${load.payments.done} payments, ${lines} lines shown ${countShown(load.talkers)} times, ` +
        `${load.turns.done} turns of presence; ${countReturns(load.clients)} returns of ${load.clients.length} clients, all recovered; ${Math.round((Date.now() - began) / 1000)} s`,
    );
  },
  TIMEOUT,
);
