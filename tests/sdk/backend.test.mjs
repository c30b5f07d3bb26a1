// @walletwire/backend against a whole system, with @walletwire/client at the other end.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, useStack } from '../e2e/harness.mjs';
import { RealtimeNotifications } from '../../clients/backend/dist/index.js';
import { online, sdkClient, until } from './wire.mjs';

const BURST = 200;

const stack = useStack({ edges: 1 }, async () => {
  stack.pass = readFileSync(join(stack.wwEnv.WW_NATS_PASSWORDS_DIR, 'backend'), 'utf8').trim();
  stack.bank = await RealtimeNotifications.connect({ servers: stack.wwEnv.WW_NATS_URL, pass: stack.pass }, { currency: 'USD' });
});

async function connected(user, ...claims) {
  const client = sdkClient(stack, { url: stack.url(0) });
  client.connect(() => stack.token(user, ...claims));
  await online(client);
  return client;
}

// What `client` is told by the events of `names` from now on.
function recorded(client, ...names) {
  const seen = [];
  for (const name of names) client.on(name, (data) => seen.push([name, data]));
  return seen;
}

stack.test('the lines of the README reach those they concern', async () => {
  const realtimeNotifications = stack.bank;
  const [userId, walletId] = ['user1', 'w-1'];
  const [client, other] = [await connected('user1'), await connected('user2')];
  const seen = recorded(client, 'balanceUpdate', 'transaction', 'securityAlert');
  const theirs = recorded(other, 'transaction');
  await realtimeNotifications.notifyBalanceUpdate(userId, walletId, { available_balance: '1500.00', currency: 'USD' });
  await realtimeNotifications.notifyTransaction({
    id: 'tx_123',
    sender_id: 'user1',
    recipient_id: 'user2',
    amount: '100',
    status: 'completed',
  });
  await realtimeNotifications.notifySecurityAlert(userId, {
    severity: 'high',
    message: 'Unusual login detected',
    action: 'Please verify your identity',
  });
  await until(client, 'three events', () => seen.length === 3);
  await until(other, 'the transaction', () => theirs.length === 1);
  const said = Object.fromEntries(seen);
  assert.deepEqual([said.balanceUpdate.available_balance, said.balanceUpdate.currency], [1500, 'USD']);
  assert.deepEqual([said.transaction.type, said.transaction.amount, said.transaction.currency], ['p2p_send', 100, 'USD']);
  assert.deepEqual([theirs[0][1].type, theirs[0][1].counterparty.userId], ['p2p_receive', 'user1']);
  assert.deepEqual([said.securityAlert.severity, said.securityAlert.message], ['high', 'Unusual login detected']);
});

stack.test('pending and completed are two events, each told once however often it is published', async () => {
  const client = await connected('user3');
  const seen = recorded(client, 'transaction');
  const tx = { id: 'tx-9', type: 'deposit', recipientId: 'user3', amount: { units: 1234, scale: 2 } };
  const first = await stack.bank.notifyTransaction({ ...tx, status: 'pending' });
  assert.deepEqual([first.id, first.duplicate], ['tx-9/pending', false]);
  assert.equal((await stack.bank.notifyTransaction({ ...tx, status: 'pending' })).duplicate, true);
  await stack.bank.notifyTransaction({ ...tx, status: 'completed' });
  await until(client, 'both', () => seen.length >= 2);
  assert.deepEqual(
    seen.map(([, { status, amount }]) => [status, amount]),
    [
      ['pending', 12.34],
      ['completed', 12.34],
    ],
  );
  assert.equal((await stack.verify('user3')).consistent, true);
});

stack.test('every kind reaches its user', async () => {
  const client = await connected('user4', '--claim', 'tier=sdk');
  const names = ['transferUpdate', 'payment', 'deposit', 'withdrawal', 'limitExceeded', 'kycUpdate', 'cardActivity', 'announcement'];
  const seen = recorded(client, ...names);
  const { bank } = stack;
  await bank.notifyTransfer({ id: 'tr-4', user_ids: ['user4'], state: 'completed', progress: 100, amount: '5.00' });
  await bank.notifyPayment('user4', { id: 'p-4', status: 'completed', amount: '1.00' });
  await bank.notifyDeposit('user4', { id: 'd-4', status: 'completed', amount: '1.00', currency: 'EUR' });
  await bank.notifyWithdrawal('user4', { id: 'w-4', status: 'failed', amount: '1.00' });
  await bank.notifyLimitExceeded('user4', { limit: 'daily', period: 'day', used: '11.00', max: '10.00' });
  await bank.notifyKyc('user4', { status: 'verified', level: 'full' });
  await bank.notifyCard('user4', { card_id: 'c', last4: '4242', merchant: 'Book Harbour', amount: '7.20' });
  await bank.broadcast({ title: 'Hello', text: 'To some', expires_at: '2099-01-01T00:00:00Z', segment: { tiers: ['sdk'] } });
  await until(client, 'all kinds', () => seen.length === names.length);
  assert.deepEqual(seen.map(([name]) => name).sort(), [...names].sort());
  await stack.assertNoDeadLetters();
});

stack.test('what is recalled, revoked or befriended takes effect', async () => {
  const [client, friend] = [await connected('user5'), await connected('user6')];
  const { id } = await stack.bank.notifyKyc('user5', { status: 'mistaken' });
  await until(client, 'it is there', () => client.unread.get()?.total === 1);
  assert.equal(await stack.bank.recall('kyc', id, { askedBy: 'test' }), 1);
  await until(client, 'it is gone', () => client.unread.get().total === 0);
  assert.equal(client.inbox.get().items.length, 0);
  const seen = recorded(client, 'presence');
  assert.deepEqual(await stack.bank.setFriends('user5', ['user6']), { added: 1, removed: 0, friends: 1 });
  await until(client, 'the friend is seen', () => client.people.get().get('user6')?.status === 'online');
  assert.deepEqual(
    seen.map(([, { userId, status }]) => [userId, status]),
    [['user6', 'online']],
  );
  await stack.bank.revoke({ userId: 'user6' }, 'test');
  await until(friend, 'the connection ends', () => friend.connection.get().status !== 'online');
});

stack.test('a responder answers what a wallet has', async () => {
  const asked = [];
  const responder = stack.bank.serveBalances(async (userId) => {
    asked.push(userId);
    return userId === 'user7' ? [{ wallet_id: 'w-7', available_balance: '7.77', version: 1 }] : null;
  });
  const [client, nobody] = [await connected('user7'), await connected('user8')];
  const [balance] = await client.balance();
  assert.deepEqual([balance.walletId, balance.available_balance, balance.currency], ['w-7', 7.77, 'USD']);
  await assert.rejects(nobody.balance(), { name: 'RealtimeError', code: 'not_found', temporary: false });
  assert.ok(asked.includes('user7') && asked.includes('user8'));
  await responder.stop();
});

stack.test('a bank that closes answers first what it was asked', async () => {
  const client = await connected('user11');
  const bank = await RealtimeNotifications.connect({ servers: stack.wwEnv.WW_NATS_URL, pass: stack.pass }, { currency: 'USD' });
  let answer;
  const wasAsked = new Promise((resolve) => {
    bank.serveBalances(() => {
      resolve();
      return new Promise((settle) => (answer = settle));
    });
  });
  const balance = client.balance();
  await wasAsked;
  const closed = bank.close();
  await stack.bank.notifyKyc('user11', { status: 'meanwhile' }); // whatever does not wait has ended by then
  answer([{ walletId: 'w-11', availableBalance: '1.00', version: 1 }]);
  await closed;
  assert.equal((await balance)[0].walletId, 'w-11');
});

stack.test('a call that is aborted while NATS says nothing can be made again under its id', async () => {
  const client = await connected('user12');
  const seen = recorded(client, 'kycUpdate');
  const abort = new AbortController();
  const error = await stack.frozen('nats', async () => {
    const call = stack.bank.notifyKyc('user12', { status: 'verified' }, { signal: abort.signal });
    abort.abort();
    return call.catch((failure) => failure);
  });
  assert.deepEqual([error.name, error.code], ['BackendError', 'aborted']);
  const { id } = await stack.bank.notifyKyc('user12', { status: 'verified' }, { eventId: error.id });
  assert.equal(id, error.id);
  await stack.bank.notifyKyc('user12', { status: 'last' });
  await until(client, 'the last', () => seen.at(-1)?.[1].status === 'last');
  assert.deepEqual(
    seen.map(([, { status }]) => status),
    ['verified', 'last'],
  );
});

stack.test('what makes no sense is refused by the name of its field before it is sent', async () => {
  const { bank } = stack;
  const tx = { id: 'x', senderId: 'a', recipientId: 'b', amount: '1', status: 'completed' };
  const cases = [
    [bank.notifyTransaction({ ...tx, amount: 1.5 }), 'transaction.amount'],
    [bank.notifyTransaction({ ...tx, amount: '1e3' }), 'transaction.amount'],
    [bank.notifyTransaction({ ...tx, amount: { units: 1.5, scale: 2 } }), 'transaction.amount.units'],
    [bank.notifyTransaction({ ...tx, amount: '9007199254740992' }), 'transaction.amount'],
    [bank.notifyTransaction({ ...tx, status: 'done' }), 'transaction.status'],
    [bank.notifyTransaction({ ...tx, colour: 'red' }), 'transaction.colour'],
    [bank.notifyTransaction({ ...tx, currency: 'usd' }), 'transaction.currency'],
    [bank.notifyTransaction({ ...tx, id: '' }), 'transaction.id'],
    [bank.notifyTransfer({ id: 'x', userIds: ['a'], state: 'processing', progress: 101 }), 'transfer.progress'],
    [bank.notifyCard('a', { cardId: 'c', last4: '4242424242424242' }), 'card.last4'],
    [bank.notifyKyc('', { status: 'verified' }), 'event.user_ids'],
  ];
  for (const [call, field] of cases) await assert.rejects(call, { name: 'BackendError', code: 'invalid', field });
});

stack.test('a burst through restarts of NATS is stored once each', async () => {
  const client = await connected('user9');
  const seen = new Set();
  let shown = 0;
  client.on('payment', ({ id }) => (seen.add(id), shown++));
  const sent = Array.from({ length: BURST }, (_, i) =>
    stack.bank.notifyPayment('user9', { id: `burst-${i}`, status: 'completed', amount: '1.00' }),
  );
  await stack.kill('nats');
  await Promise.all(sent);
  const again = Array.from({ length: BURST }, (_, i) =>
    stack.bank.notifyPayment('user9', { id: `burst-${i}`, status: 'completed', amount: '1.00' }),
  );
  await Promise.all(again);
  await until(client, 'all', () => seen.size === BURST);
  await client.notifications.list();
  assert.equal(shown, BURST);
  assert.equal((await stack.verify('user9')).inboxRows, BURST);
});

stack.test('the publisher in Python reaches a user', async () => {
  const client = await connected('user10');
  const seen = recorded(client, 'payment');
  const { code, stdout, stderr } = await run('python3', ['examples/publisher.py', 'user10', 'py-1', '12.90', 'EUR'], { env: stack.wwEnv });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^py-1\/completed stored as \d+$/m);
  await until(client, 'the payment', () => seen.length === 1);
  assert.deepEqual([seen[0][1].id, seen[0][1].amount, seen[0][1].currency], ['py-1', 12.9, 'EUR']);
  // As this package names it: published from either side it is one payment.
  const slash = await run('python3', ['examples/publisher.py', 'user10', 'py/3', '1.00', 'EUR'], { env: stack.wwEnv });
  assert.match(slash.stdout, /^py%2F3\/completed stored as \d+$/m);
  const again = await stack.bank.notifyPayment('user10', { id: 'py/3', status: 'completed', amount: '1.00', currency: 'EUR' });
  assert.deepEqual([again.id, again.duplicate], ['py%2F3/completed', true]);
  const wrong = [
    ['user10', 'py-2', '12,90', 'EUR'],
    ['user10', 'py-2\r\nNats-Expected-Stream: x', '1.00', 'EUR'],
    ['', 'py-2', '1.00', 'EUR'],
    ['user10', 'x'.repeat(129), '1.00', 'EUR'],
    ['user10', 'py-2', '1.00', 'eur'],
  ];
  for (const args of wrong) {
    const refused = await run('python3', ['examples/publisher.py', ...args], { env: stack.wwEnv });
    assert.deepEqual([refused.code, refused.stdout], [2, ''], args.join(' '));
  }
});

stack.test('closing ends what is under way, and nothing is told after it', async () => {
  const client = await connected('user13');
  const seen = recorded(client, 'payment');
  const ids = Array.from({ length: 20 }, (_, i) => `close-${i}`);
  const calls = ids.map((id) => stack.bank.notifyPayment('user13', { id, status: 'completed', amount: '1.00' }));
  let ended = 0;
  for (const call of calls) call.finally(() => ended++);
  await stack.bank.close();
  assert.equal(ended, ids.length);
  await Promise.all(calls);
  await until(client, 'all', () => seen.length === ids.length);
  await assert.rejects(stack.bank.notifyKyc('user13', { status: 'late' }), { name: 'BackendError', code: 'internal', temporary: false });
});
