// The same events published twice change nothing and show nothing.

import assert from 'node:assert/strict';
import { useStack } from './harness.mjs';

const stack = useStack({ edges: 1 });

const events = [
  { id: 'b1', userIds: ['echo'], balance: { walletId: 'w1', available_balance: '10.00', pending_balance: '0.00', currency: 'EUR' } },
  { id: 'p1', userIds: ['echo'], payment: { status: 'pending', amount: '5.00', currency: 'EUR' } },
  { id: 's1', userIds: ['echo'], security: { severity: 'low', message: 'New device', action: '' } },
  {
    id: 't1',
    transaction: {
      transactionId: 'tx1',
      type: 'p2p',
      amount: '1.00',
      currency: 'EUR',
      status: 'completed',
      sender: { userId: 'echo', name: 'E' },
      recipient: { userId: 'nymph', name: 'N' },
    },
  },
];

// Everything that could have moved, as one value.
async function snapshot(device) {
  const list = await device.ask('notifications:list', { limit: 100 });
  for (const { notification } of list.items) delete notification.unread; // the total of now, not of then
  return { list: list.items, unread: await device.ask('notifications:unread'), verify: await stack.verify('echo') };
}

// An event of its own kind after the others: whatever they caused has been shown before it.
async function sentinel(device, id) {
  await stack.publish([{ id, userIds: ['echo'], kyc: { status: id, level: '1', message: '' } }]);
  await device.waitFor('kyc:update', (data) => data.status === id);
}

async function publishAgain(device) {
  const before = await snapshot(device);
  device.mark();
  const result = await stack.publish(events);
  await sentinel(device, `sentinel-${before.verify.seq}`);
  const shown = device.since().map((event) => event.name);
  assert.deepEqual(shown.filter((name) => !['kyc:update', 'notifications:unread'].includes(name)), [], `shown: ${shown}`);
  assert.equal(device.payloads('notifications:unread').at(-1).total, before.unread.total + 1);

  const after = await snapshot(device);
  assert.equal(after.verify.seq, before.verify.seq + 1, 'only the sentinel was numbered');
  assert.deepEqual(after.list.slice(1), before.list);
  return result;
}

stack.test('the first time everything is shown', async () => {
  const device = await stack.connect('echo');
  await stack.publish(events);
  for (const name of ['balance:update', 'payment', 'security:alert', 'transaction']) await device.waitFor(name);
});

stack.test('a second time within the window the stream itself refuses the copies', async () => {
  const device = await stack.connect('echo');
  const { stdout } = await publishAgain(device);
  assert.match(stdout, /duplicates 4/);
});

stack.test('after a restart of NATS, which forgets the window, the service refuses them', async () => {
  const device = await stack.connect('echo', { reconnection: true });
  await stack.kill('nats');
  await stack.waitReady('notifications');
  await stack.waitReady('edge-1');
  const { stdout } = await publishAgain(device);
  assert.match(stdout, /duplicates 0/, 'the stream took them: this is about the service');
});

stack.test('the other side of the transaction has one item as well', async () => {
  const nymph = await stack.connect('nymph');
  assert.equal((await nymph.ask('notifications:list', {})).items.length, 1);
  await stack.verify('nymph');
});
