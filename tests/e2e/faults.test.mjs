// Everything that the notification service runs on is killed in turn, or away for long, under load: every user's
// inbox is what was published for that user, and whoever was connected saw each item once and in order.

import assert from 'node:assert/strict';
import { Flood, assertSawAll, countReturns, follow } from './flood.mjs';
import { LONG, request, until, useStack } from './harness.mjs';

const USERS = 500;
const PUBLISHERS = 4;
const CLIENTS = 50; // of every kind, two of each watched user
const WATCHED = CLIENTS / 2;
const EVENTS = LONG ? 20_000 : 4_000; // of all publishers
const PER_SECOND = LONG ? 100 : 260;
const VICTIMS = ['postgres', 'notifications', 'nats', 'edge-1', 'notifications-2', 'edge-2'];
const CALM_MS = LONG ? 2_000 : 300; // with everybody connected, before the next blow
const RECOVERY_MS = 60_000; // the database, a take-over and a number that is waited for, one after the other
const AWAY_MS = LONG ? 180_000 : 8_000;
const TIMEOUT = { timeout: LONG ? 900_000 : 180_000 };

const stack = useStack({ edges: 2, notifications: 2 });

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const money = { amount: '12.50', currency: 'EUR', status: 'completed' };

// One of each kind that makes items, and a balance; what `user` and `other` get of it.
const KINDS = [
  (id, user, other) => ({ transaction: { ...money, transactionId: id, type: 'p2p', sender: { userId: user }, recipient: { userId: other } } }),
  (id) => ({ transfer: { transferId: id, state: 'completed', progress: 100, amount: '5.00', currency: 'EUR' } }),
  (id) => ({ payment: { ...money, referenceId: id } }),
  (id) => ({ deposit: { ...money, referenceId: id } }),
  (id) => ({ withdrawal: { ...money, referenceId: id } }),
  () => ({ security: { severity: 'high', message: 'New sign-in' } }),
  () => ({ limit: { limit: 'card_spending', period: 'daily', used: '10.00', max: '9.00', currency: 'EUR' } }),
  () => ({ kyc: { status: 'verified', level: 'full' } }),
  () => ({ card: { cardId: 'c', last4: '4242', type: 'purchase', amount: '1.00', currency: 'EUR' } }),
  (id, user, other, n) => ({ balance: { walletId: 'w', available_balance: `${n}.00`, pending_balance: '0.00', currency: 'EUR' } }),
];

const userAt = (name, i) => `${name}-${i % USERS}`;

// What all publishers have published: the items that each user must have, in the order of each publisher.
class Published {
  constructor(name) {
    this.name = name;
    this.items = new Map(Array.from({ length: USERS }, (_, i) => [userAt(name, i), Array.from({ length: PUBLISHERS }, () => [])]));
  }

  // Event n of a publisher. Users of all publishers overlap; those in the first places are watched.
  eventAt(publisher, n) {
    const id = `${this.name}-${publisher}-${n}`;
    const user = userAt(this.name, n * 7 + publisher);
    const other = userAt(this.name, n * 7 + publisher + 1);
    const event = { id, ...KINDS[n % KINDS.length](id, user, other, n) };
    const users = event.transaction ? [user, other] : [user];
    if (!event.balance) for (const one of users) this.items.get(one)[publisher].push(id);
    return event.transaction ? event : { ...event, userIds: [user] };
  }

  count(user) {
    return this.items.get(user).flat().length;
  }
}

// All events of `published` from publishers of their own, while `during` lasts and until all are sent.
async function flooded(published, total, during) {
  const share = { perSecond: PER_SECOND / PUBLISHERS, total: total / PUBLISHERS };
  const floods = Array.from({ length: PUBLISHERS }, (_, p) => new Flood(stack, (n) => published.eventAt(p, n), share));
  try {
    await during(() => floods.every((flood) => flood.isOver()));
  } finally {
    for (const flood of floods) await flood.stop();
  }
}

async function watchers(name) {
  const clients = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(await follow(stack, userAt(name, i % WATCHED), i));
  return clients;
}

// The rows of all inboxes, by user: ids in the order of their numbers, which have no gap.
async function storedInboxes(name) {
  const inboxes = new Map();
  for (const row of await stack.psql('notifications', '-c', `SELECT user_id, seq, event_id FROM notifications.inbox WHERE user_id LIKE '${name}-%' ORDER BY user_id, seq`)) {
    const [user, seq, id] = row.split('|');
    if (!inboxes.has(user)) inboxes.set(user, []);
    inboxes.get(user).push(id);
    assert.equal(Number(seq), inboxes.get(user).length, `${user} has a gap`);
  }
  return inboxes;
}

async function assertExact(published, clients) {
  const users = [...published.items.keys()];
  await until('everything is stored', async () => {
    const [n] = await stack.psql('notifications', '-c', `SELECT count(*) FROM notifications.inbox WHERE user_id LIKE '${published.name}-%'`);
    return Number(n) >= users.reduce((sum, user) => sum + published.count(user), 0);
  }, 60_000);
  const inboxes = await storedInboxes(published.name);
  for (const [user, byPublisher] of published.items) {
    const ids = inboxes.get(user) ?? [];
    assert.equal(ids.length, published.count(user), `${user} has what was published and nothing else`);
    for (const [p, wanted] of byPublisher.entries())
      assert.deepEqual(ids.filter((id) => id.startsWith(`${published.name}-${p}-`)), wanted, `${user}: in the order of publisher ${p}`);
  }
  for (const [i, verdict] of (await stack.verifyAll(users)).entries())
    assert.deepEqual([verdict.seq, verdict.inboxRows, verdict.counted.total], Array(3).fill(published.count(users[i])), users[i]);
  for (const [i, client] of clients.entries()) await assertSawAll(client, inboxes.get(userAt(published.name, i % WATCHED)));
  await stack.assertNoDeadLetters();
}

const allConnected = (clients) => until('everybody is connected', () => clients.every((client) => client.socket.connected), RECOVERY_MS);

stack.test(
  `${EVENTS} events for ${USERS} users while everything is killed in turn`,
  async (t) => {
    const started = Date.now();
    const published = new Published('all');
    const clients = await watchers('all');
    const kills = Object.fromEntries(VICTIMS.map((victim) => [victim, 0]));
    await flooded(published, EVENTS, async (isOver) => {
      for (let n = 0; n < VICTIMS.length || !isOver(); n++) {
        const victim = VICTIMS[n % VICTIMS.length];
        await stack.kill(victim);
        kills[victim]++;
        await Promise.all(['edge-1', 'edge-2', 'notifications', 'notifications-2'].map((name) => stack.waitReady(name, RECOVERY_MS)));
        await allConnected(clients);
        await sleep(CALM_MS);
      }
    });
    await assertExact(published, clients);
    t.diagnostic(`${EVENTS} events, kills ${JSON.stringify(kills)}, ${countReturns(clients)} returns, all recovered, ${Math.round((Date.now() - started) / 1000)} s`);
  },
  TIMEOUT,
);

// Of a replica of ww-notifications: what /readyz says, and whether the metrics name the cause.
async function trouble(name) {
  const { admin } = stack.status().services.find((service) => service.name === name);
  const { status, body } = await request(`${admin}/readyz`);
  return { status, body, down: await stack.metric(admin, 'ww_notifications_trouble', 'cause="postgres_down"') };
}

stack.test(
  `PostgreSQL is away for ${AWAY_MS / 1000} s: sockets stay, and everything comes afterwards`,
  async () => {
    const published = new Published('away');
    const clients = await watchers('away');
    const replicas = ['notifications', 'notifications-2'];
    const total = Math.ceil((PER_SECOND * (AWAY_MS / 1000)) / PUBLISHERS) * PUBLISHERS;
    await flooded(published, total, async (isOver) => {
      await stack.away('postgres', async () => {
        const back = Date.now() + AWAY_MS;
        for (const name of replicas) {
          await until(`${name} says what is wrong`, async () => {
            const { status, body, down } = await trouble(name);
            return status === 503 && body === 'PostgreSQL does not answer\n' && down === 1;
          });
        }
        const { ok, error } = await clients[0].ask('notifications:list', {});
        assert.deepEqual([ok, error.code], [false, 'unavailable']);
        assert.ok(error.retryAfterMs >= 1000, `${error.retryAfterMs}`);
        await until('the time is over', () => Date.now() > back, 2 * AWAY_MS);
        await stack.assertNoDeadLetters();
      });
      for (const name of replicas) await stack.waitReady(name, RECOVERY_MS);
      await until('all are published', isOver, TIMEOUT.timeout);
    });
    await assertExact(published, clients);
    assert.deepEqual(clients.flatMap((client) => client.disconnects), [], 'nobody lost the socket');
    assert.equal((await clients[0].ask('notifications:list', {})).ok, true);
  },
  TIMEOUT,
);
