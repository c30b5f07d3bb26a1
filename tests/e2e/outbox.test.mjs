// What a wallet commits in its own PostgreSQL is shown once and in order, whatever dies on the way.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ROOT, useStack } from './harness.mjs';

const PAYMENTS = 2000;

const stack = useStack({ edges: 1, outbox: true }, () => asWallet('-f', join(ROOT, 'examples/outbox.sql')));

const asWallet = (...args) => stack.psql('wallet', ...args);

stack.test('the payment of the example is shown with the balance it left', async () => {
  const alice = await stack.connect('alice');
  await asWallet('-c', "SELECT wallet_pay('w1', 'p1', 12.90)");
  const payment = await alice.waitFor('payment');
  assert.equal(payment.id, 'p1');
  assert.equal(payment.amount, 12.9);
  const balance = await alice.waitFor('balance:update');
  assert.equal(balance.available_balance, 87.1);
  assert.equal(balance.version, 1);
});

stack.test('a payment that is rolled back is not shown', async () => {
  const alice = await stack.connect('alice');
  alice.mark();
  await asWallet('-c', "BEGIN; SELECT wallet_pay('w1', 'never', 1.00); ROLLBACK; SELECT wallet_pay('w1', 'after', 1.00)");
  const payment = await alice.waitFor('payment');
  assert.equal(payment.id, 'after');
});

stack.test(`${PAYMENTS} payments while the relay and NATS are killed: each once and in order`, async () => {
  const alice = await stack.connect('alice');
  alice.mark();
  await asWallet('-c', `SELECT wallet_pay('w1', 'q' || n, 0.01) FROM generate_series(1, ${PAYMENTS}) n`);
  for (const [i, victim] of ['outbox', 'nats', 'outbox'].entries()) {
    const share = Math.floor((PAYMENTS * (i + 1)) / 5);
    await alice.waitUntil(`payment ${share}`, () => alice.payloads('payment').length >= share, 60_000);
    await stack.kill(victim);
  }
  await alice.waitUntil('all payments', () => alice.payloads('payment').length >= PAYMENTS, 60_000);
  const wanted = Array.from({ length: PAYMENTS }, (_, n) => `q${n + 1}`);
  assert.deepEqual(alice.payloads('payment').map((payment) => payment.id), wanted);
  // Of the balances only the newest matters: what is left of 100.00.
  const left = (10000 - 1290 - 100 - PAYMENTS) / 100;
  await alice.waitFor('balance:update', (balance) => balance.available_balance === left);
  await stack.verify('alice');
});
