// Balances as clients ask for them, and as they come by themselves after a movement.

import assert from 'node:assert/strict';
import { openBank } from './bank.mjs';
import { useStack } from './harness.mjs';
import { assertShape } from './shapes.mjs';

let bank;
const stack = useStack({ edges: 2 }, async () => {
  bank = await openBank(stack);
});

const pay = (id, status, from, to) => ({
  id,
  transaction: { transactionId: id, type: 'p2p', status, amount: '1.00', currency: 'EUR', sender: { userId: from }, recipient: { userId: to } },
});

const amounts = (answer) => answer.balances?.map(({ walletId, available_balance }) => [walletId, available_balance]);

stack.test('what the bank says is answered, and shown on the other device', async () => {
  bank.set('asker', [
    { walletId: 'main', cents: 1234 },
    { walletId: 'savings', cents: 500, version: 7 },
  ]);
  const phone = await stack.connect('asker', { at: 0 });
  const laptop = await stack.connect('asker', { at: 1 });
  const answer = await phone.ask('balance:get');
  assert.equal(answer.ok, true, JSON.stringify(answer));
  assert.deepEqual(amounts(answer), [
    ['main', 12.34],
    ['savings', 5],
  ]);
  for (const balance of answer.balances) {
    assertShape('balance:update', balance, null, ['pending_balance']);
    for (const device of [phone, laptop])
      assert.deepEqual(await device.waitFor('balance:update', ({ walletId }) => walletId === balance.walletId), balance);
  }
  assert.deepEqual(await laptop.ask('balance:get'), answer);
  assert.deepEqual(amounts(await phone.ask('balance:get', { walletId: 'savings' })), [['savings', 5]]);
  assert.equal(bank.asked('asker'), 1);
  await stack.verify('asker');
});

stack.test('a question names its wallet, or what is wrong with it', async () => {
  bank.set('curious', [{ walletId: 'main', cents: 1 }]);
  const phone = await stack.connect('curious');
  assert.equal((await phone.ask('balance:get', { walletId: 'none' })).error.code, 'not_found');
  const { error } = await phone.ask('balance:get', { walletId: 7 });
  assert.equal(error.code, 'invalid');
  assert.equal(error.field, 'walletId');
});

stack.test('after a completed movement the balances of both sides come by themselves', async () => {
  const sender = [await stack.connect('sender', { at: 0 }), await stack.connect('sender', { at: 1 })];
  const recipient = await stack.connect('recipient', { at: 1 });
  bank.set('sender', [{ walletId: 'main', cents: 900 }]);
  bank.set('recipient', [{ walletId: 'main', cents: 100 }]);
  await stack.publish([pay('p1', 'pending', 'sender', 'recipient'), pay('p2', 'failed', 'sender', 'recipient')]);
  await recipient.waitUntil('both items', () => recipient.items().length === 2);
  await stack.publish([pay('p3', 'completed', 'sender', 'recipient')]);
  for (const device of sender) assert.equal((await device.waitFor('balance:update')).available_balance, 9);
  assert.equal((await recipient.waitFor('balance:update')).available_balance, 1);
  assert.equal(bank.asked('sender'), 1);
  assert.equal(bank.asked('recipient'), 1);
});

stack.test('a balance that comes late changes nothing', async () => {
  const phone = await stack.connect('late');
  bank.set('late', [{ walletId: 'main', cents: 500, version: 5 }]);
  assert.deepEqual(amounts(await phone.ask('balance:get')), [['main', 5]]);
  const event = (id, amount, version) => ({ id, userIds: ['late'], balance: { walletId: 'main', available_balance: amount, currency: 'EUR', version } });
  await stack.publish([event('late-4', '4.00', 4), event('late-6', '6.00', 6)]);
  await phone.waitFor('balance:update', ({ version }) => version === 6);
  assert.deepEqual(
    phone.payloads('balance:update').map(({ version }) => version),
    [5, 6],
  );
});

const transfer = (id, state, users = ['payer', 'payee']) => ({
  id: `${id}-${state}`,
  userIds: users,
  transfer: { transferId: id, state, progress: state === 'completed' ? 100 : 50, amount: '5.00', currency: 'EUR' },
});

stack.test('a transfer may be tracked before it is known, and is shown to its parties alone', async () => {
  const payer = await stack.connect('payer', { at: 0 });
  const payee = await stack.connect('payee', { at: 1 });
  const stranger = await stack.connect('stranger', { at: 1 });
  for (const client of [payer, payee, stranger]) assert.deepEqual(await client.ask('transfer:track', { transferId: 'tr-early' }), { ok: true });
  await stack.publish([transfer('tr-early', 'processing')]);
  for (const client of [payer, payee]) assert.equal((await client.waitFor('transfer:update')).progress, 50);
  await stack.publish([transfer('tr-early', 'completed'), { id: 'stranger-1', userIds: ['stranger'], kyc: { status: 'approved' } }]);
  await stranger.waitFor('kyc:update');
  assert.deepEqual(stranger.payloads('transfer:update'), []);
  assert.equal((await stranger.ask('transfer:track', { transferId: 'tr-early' })).error.code, 'forbidden');
  // The last word is in both inboxes, and tracking still tells it.
  for (const client of [payer, payee]) {
    await client.waitFor('transfer:update', ({ final, notification }) => final && notification);
    const { items } = await client.ask('notifications:list');
    assert.deepEqual(
      items.map(({ event, data }) => [event, data.state]),
      [['transfer:update', 'completed']],
    );
    assert.equal((await client.ask('transfer:track', { transferId: 'tr-early' })).transfer.state, 'completed');
  }
});

stack.test('without a bank the answer is an error, and everything else goes on', async () => {
  const phone = await stack.connect('alone');
  await bank.close();
  const { error } = await phone.ask('balance:get');
  assert.equal(error.code, 'unavailable');
  await stack.publish([pay('p9', 'completed', 'alone', 'nobody')]);
  await phone.waitFor('transaction');
  bank = await openBank(stack);
  bank.set('alone', [{ walletId: 'main', cents: 42 }]);
  assert.equal((await phone.waitFor('balance:update')).available_balance, 0.42);
  await bank.close();
});
