// Every line of examples/events.jsonl reaches whom it concerns, with exactly the keys that are promised.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after } from 'node:test';
import { ROOT, useStack } from './harness.mjs';
import { assertShape, assertUnread } from './shapes.mjs';

const FINAL_STATES = ['completed', 'failed', 'cancelled'];
const KINDS = ['balance', 'transaction', 'transfer', 'payment', 'deposit', 'withdrawal', 'security', 'limit', 'kyc', 'card', 'announcement'];
const PRIORITIES = { security: 'critical', limit: 'high', kyc: 'high' };

const EVENT_NAMES = {
  balance: 'balance:update',
  transfer: 'transfer:update',
  security: 'security:alert',
  limit: 'limit:exceeded',
  kyc: 'kyc:update',
  card: 'card:activity',
};

const lines = readFileSync(join(ROOT, 'examples', 'events.jsonl'), 'utf8').trim().split('\n');
const examples = lines.map((line) => {
  const event = JSON.parse(line);
  return { line, event, kind: KINDS.find((kind) => kind in event) };
});

const clients = new Map(); // of every user that an example concerns, over all tests of this file
const stack = useStack({ edges: 2 }, connectEverybody);

function usersOf({ event, kind }) {
  if (kind === 'announcement') return [...clients.keys()];
  const parties = kind === 'transaction' ? [event.transaction.sender?.userId, event.transaction.recipient?.userId] : [];
  return [...new Set([...(event.userIds ?? []), ...parties.filter(Boolean)])];
}

// What one user is sent for one line: the event's name and what its notification block says.
function expected({ event, kind }) {
  const name = EVENT_NAMES[kind] ?? kind;
  const isInbox = !['balance', 'announcement'].includes(kind) && !(kind === 'transfer' && !FINAL_STATES.includes(event.transfer.state));
  return { name, inbox: isInbox ? { type: kind, priority: event.priority ?? PRIORITIES[kind] ?? 'normal' } : null };
}

async function connectEverybody(stack) {
  const users = new Set(examples.flatMap((example) => (example.kind === 'announcement' ? [] : usersOf(example))));
  for (const user of users) clients.set(user, await stack.connect(user));
  stack.clients.length = 0; // so that they are not closed after the first test
  for (const { event, kind } of examples) {
    if (kind !== 'transfer') continue;
    for (const user of event.userIds) {
      const tracked = await clients.get(user).ask('transfer:track', { transferId: event.transfer.transferId });
      assert.equal(tracked.ok, true, JSON.stringify(tracked));
    }
  }
}

stack.test('the examples have a line of every kind', async () => {
  assert.deepEqual([...new Set(examples.map(({ kind }) => kind))].sort(), [...KINDS].sort());
});

for (const [number, example] of examples.entries()) {
  stack.test(`line ${number + 1}: ${example.kind}`, async () => {
    const { name, inbox } = expected(example);
    const users = usersOf(example);
    assert.ok(users.length > 0);
    for (const client of clients.values()) client.mark();
    await stack.publish([example.line]);
    for (const user of users) {
      const client = clients.get(user);
      const data = await client.waitFor(name);
      assertShape(name, data, inbox, example.event.expiresAt ? [] : ['expiresAt']);
      if (inbox) {
        // The counter leaves before the item that changed it, and says the same as the item.
        const names = client.since().map((event) => event.name);
        assert.ok(names.indexOf('notifications:unread') < names.indexOf(name), `order: ${names}`);
        const unread = client.payloads('notifications:unread').at(-1);
        assertUnread(unread);
        assert.equal(data.notification.unread, unread.total);
      }
      assert.equal(client.payloads(name).length, 1, 'shown once');
    }
  });
}

stack.test('the two sides of a transaction see their own direction', async () => {
  const alice = await stack.connect('side-a');
  const bob = await stack.connect('side-b');
  const transaction = {
    transactionId: 'tx-sides',
    type: 'p2p',
    amount: '12.50',
    currency: 'EUR',
    status: 'completed',
    sender: { userId: 'side-a', name: 'Ada' },
    recipient: { userId: 'side-b', name: 'Bob' },
    message: 'for lunch',
  };
  await stack.publish([{ transaction }]);
  const sent = await alice.waitFor('transaction');
  const received = await bob.waitFor('transaction');
  assert.deepEqual([sent.type, sent.direction, sent.counterparty], ['p2p_send', 'outgoing', { userId: 'side-b', name: 'Bob' }]);
  assert.deepEqual([received.type, received.direction, received.counterparty], ['p2p_receive', 'incoming', { userId: 'side-a', name: 'Ada' }]);
  assert.equal(sent.id, 'tx-sides');
  assert.notEqual(sent.notification.text, received.notification.text);
});

stack.test('an amount is a number with exactly the digits it was given', async () => {
  const client = await stack.connect('digits');
  const amounts = ['100.00', '0.10', '1234.56', '0', '90071992547409.91', '0.000000000000000001'];
  await stack.publish(amounts.map((amount, i) => ({ id: `digits-${i}`, userIds: ['digits'], payment: { status: 'completed', amount, currency: 'EUR' } })));
  await client.waitUntil('all payments', () => client.payloads('payment').length === amounts.length);
  const wire = client.packets.filter((packet) => packet.startsWith('2["payment"')).map((packet) => /"amount":([^,]+),/.exec(packet)[1]);
  assert.deepEqual(wire, amounts);
});

stack.test('money as a JSON float, an unknown field and a wrong type are refused by line', async () => {
  const good = { userIds: ['digits'], payment: { status: 'completed', amount: '1.00', currency: 'EUR' } };
  const bad = [
    { ...good, payment: { ...good.payment, amount: 1.5 } },
    { ...good, payment: { ...good.payment, ammount: '1.00' } },
    { ...good, userIds: 'digits' },
    '{"userIds":["digits"],',
  ];
  const input = [good, ...bad, good].map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const { code, stdout, stderr } = await stack.ww(['publish', '--json', '-'], { input });
  assert.equal(code, 1);
  for (const line of [2, 3, 4, 5]) assert.match(stderr, new RegExp(`line ${line}: `));
  assert.match(stderr, /amount/);
  assert.match(stderr, /ammount/);
  assert.match(stdout, /published 2, duplicates 0, failed 4/);
});

after(() => clients.forEach((client) => client.close()));
