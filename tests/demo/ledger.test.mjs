// A hundred requests at random, the bank killed in their midst: every one of them was done once, the books are right, and
// inboxes and sockets say exactly what the ledger says.

import assert from 'node:assert/strict';
import { until } from '../e2e/harness.mjs';
import { centsOf, PEOPLE, useDemo } from './bank.mjs';

const REQUESTS = 100;
const AT_ONCE = 4;
const KILL_AT = [30, 65];
const WAIT_MS = 60_000;

const { stack, bank } = useDemo();

// The same sequence at each run.
let state = 4242;
const below = (n) => (state = (state * 16_807) % 2_147_483_647) % n;
const pick = (from) => from[below(from.length)];

function randomRequest() {
  const from = pick(PEOPLE);
  const amount = `${below(20)}.${10 + below(90)}`;
  const userId = from;
  const between = { from, to: pick(PEOPLE.filter((one) => one !== from)), amount };
  return pick([
    ['/send', between],
    ['/send', between],
    ['/transfer', { ...between, seconds: 1 + below(4), fails: below(4) === 0 }],
    ['/pay', { userId, merchant: 'Metro', amount }],
    ['/deposit', { userId, amount }],
    ['/withdraw', { userId, amount }],
    ['/card', { userId, merchant: 'Metro', amount, type: pick(['purchase', 'refund']) }],
  ]);
}

// Until there is an answer, also from the next process. The key makes it one request; every fourth one is asked twice at
// once, as by somebody who lost patience.
async function insist(n, request) {
  const answers = await Promise.all(Array.from({ length: n % 4 === 0 ? 2 : 1 }, () => askUntilAnswered(n, request)));
  assert.ok(answers.every(({ id }) => id === answers[0].id));
  return answers[0];
}

function askUntilAnswered(n, [path, body]) {
  return until(
    `request ${n}`,
    async () => {
      const answer = await bank.ask('POST', path, body, { 'Idempotency-Key': `request-${n}` }).catch(() => undefined);
      if (!answer || answer.status >= 500) return undefined;
      assert.equal(answer.status, 200, `${path} ${JSON.stringify([body, answer.body])}`);
      return answer.body;
    },
    WAIT_MS,
  );
}

// What the ledger says each user was told: { alice: ['transaction/tx-1/completed', ...] ... }, sorted.
const KIND = { send: 'transaction', pay: 'payment', deposit: 'deposit', withdrawal: 'withdrawal', 'card purchase': 'card', 'card refund': 'card' };

async function ledgerTold() {
  const told = Object.fromEntries(PEOPLE.map((user) => [user, []]));
  const movements = await bank.query(
    `SELECT m.id, m.kind, array_agg(a.owner) AS owners FROM bank.movements m JOIN bank.entries e ON e.movement = m.id
     JOIN bank.accounts a ON a.id = e.account AND a.owner IS NOT NULL WHERE m.kind IN (${Object.keys(KIND).map((kind) => `'${kind}'`)}) GROUP BY 1, 2`,
  );
  for (const { id, kind, owners } of movements) {
    for (const owner of owners) told[owner].push(`${KIND[kind]}/${id}${KIND[kind] === 'card' ? '' : '/completed'}`);
  }
  const transfers = await bank.query(
    `SELECT t.id, t.state, t.version, ARRAY[s.owner, r.owner] AS owners FROM bank.transfers t
     JOIN bank.accounts s ON s.id = t.sender JOIN bank.accounts r ON r.id = t.recipient`,
  );
  for (const { id, state: end, version, owners } of transfers) {
    for (const owner of owners) told[owner].push(`transaction/${id}/pending`, `transaction/${id}/${end}`, `transfer/${id}/${version}`);
  }
  for (const user of PEOPLE) told[user].sort();
  return { told, done: movements.length + transfers.length };
}

async function inboxOf(client) {
  const items = [];
  let before;
  do {
    const page = await client.ask('notifications:list', { limit: 100, ...(before && { before }) });
    assert.equal(page.ok, true);
    items.push(...page.items.map(({ notification }) => `${notification.type}/${notification.id}`));
    before = page.next;
  } while (before);
  return items.sort();
}

stack.test(`${REQUESTS} requests while the bank is killed ${KILL_AT.length} times: inboxes equal the ledger`, async () => {
  const clients = Object.fromEntries(await Promise.all(PEOPLE.map(async (user) => [user, await bank.signIn(user)])));
  const requests = Array.from({ length: REQUESTS }, randomRequest);
  const answers = [];
  let next = 0;
  const kills = [];
  const worker = async () => {
    while (next < REQUESTS) {
      const n = next++;
      if (KILL_AT.includes(n)) kills.push(stack.kill('bank'));
      answers[n] = await insist(n, requests[n]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await Promise.all(kills);
  assert.equal(kills.length, KILL_AT.length);

  await until('no transfer is under way', async () => (await bank.get('/state')).transfers.every(({ state: now }) => now !== 'processing'), WAIT_MS);
  await bank.assertBooks();
  const { told, done } = await ledgerTold();
  assert.equal(done, REQUESTS, 'each request is in the ledger once');
  assert.equal(new Set(answers.map(({ id }) => id)).size, REQUESTS);

  const wallets = await bank.wallets();
  for (const user of PEOPLE) {
    const client = clients[user];
    const seen = () => client.items().map(({ notification }) => `${notification.type}/${notification.id}`);
    await client.waitUntil(`all that ${user} is told`, () => seen().length >= told[user].length, WAIT_MS);
    assert.deepEqual(await inboxOf(client), told[user], `the inbox of ${user} is what the ledger says`);
    assert.deepEqual(seen().sort(), told[user], `${user} saw each of it once`);
    const { version, available } = wallets[user];
    const balance = await client.waitFor('balance:update', (data) => data.version === version);
    assert.equal(Math.round(100 * balance.available_balance), centsOf(available));
    assert.equal(wallets[user].pending, '0.00');
  }
  await stack.verifyAll(PEOPLE);
  await stack.assertNoDeadLetters();
});
