// Transfers that are tracked and do not appear, or are for others: here after half a second instead of a minute.

import assert from 'node:assert/strict';
import { until, useStack } from './harness.mjs';

const stack = useStack({ edges: 1, env: { WW_TRACK_PENDING: '500ms' } });

const transfer = (id, user) => ({ id, userIds: [user], transfer: { transferId: id, state: 'processing', progress: 10, amount: '5.00', currency: 'EUR' } });
const kyc = (user) => ({ id: `${user}-marker`, userIds: [user], kyc: { status: 'approved' } });

const givenUp = () => stack.metric(stack.edge(0).admin, 'ww_edge_tracks_given_up_total');

stack.test('a transfer that does not appear is not tracked any more', async () => {
  const before = await givenUp();
  const client = await stack.connect('patient');
  assert.deepEqual(await client.ask('transfer:track', { transferId: 'ghost' }), { ok: true });
  await until('it is given up', async () => (await givenUp()) > before);
  await stack.publish([transfer('ghost', 'patient'), kyc('patient')]);
  await client.waitFor('kyc:update');
  assert.deepEqual(client.payloads('transfer:update'), []);
  // It can be tracked again, and is known now.
  assert.equal((await client.ask('transfer:track', { transferId: 'ghost' })).transfer.progress, 10);
});

stack.test('one that is known is tracked for as long as its socket lives', async () => {
  const before = await givenUp();
  const client = await stack.connect('follower');
  await stack.publish([transfer('known', 'follower'), kyc('follower')]);
  await client.waitFor('kyc:update');
  assert.equal((await client.ask('transfer:track', { transferId: 'known' })).transfer.progress, 10);
  // One that is not known is given up after it.
  await client.ask('transfer:track', { transferId: 'nothing' });
  await until('that is given up', async () => (await givenUp()) > before);
  await stack.publish([{ ...transfer('known', 'follower'), id: 'known-2' }]);
  await client.waitFor('transfer:update', ({ version }) => version === 2);
});

stack.test('a transfer of others is refused and not tracked', async () => {
  const owner = await stack.connect('owner');
  await stack.publish([transfer('private', 'owner'), kyc('owner')]);
  await owner.waitFor('kyc:update');
  const before = await givenUp();
  const client = await stack.connect('intruder');
  assert.equal((await client.ask('transfer:track', { transferId: 'private' })).error.code, 'forbidden');
  assert.equal(await givenUp(), before + 1);
});
