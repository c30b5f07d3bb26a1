// @walletwire/client against a whole system.

import assert from 'node:assert/strict';
import { kyc, useStack } from '../e2e/harness.mjs';
import { Network, online, sdkClient, until } from './wire.mjs';

const ITEMS = 1000;
const MESSAGES = 100;
const CUTS = 50;

const stack = useStack({ edges: 2 });
const upTo = (n) => Array.from({ length: n }, (_, i) => i);
const events = (user, from, to) => upTo(to - from).map((i) => kyc(user, from + i));

async function connected(user, { at = 0, ...options } = {}) {
  const client = sdkClient(stack, { url: stack.url(at), ...options });
  client.connect(() => stack.token(user));
  await online(client);
  return client;
}

stack.test('the lines of the README reach a user', async () => {
  const websocketClient = sdkClient(stack, { url: stack.url('http') });
  const authToken = await stack.token('ada');
  const seen = [];
  websocketClient.on('balanceUpdate', (data) => seen.push(data.available_balance));
  websocketClient.on('transferUpdate', (data) => seen.push(data.state));
  websocketClient.connect(authToken);
  const tracked = websocketClient.trackTransfer('tr-ada');
  assert.equal(await tracked, undefined, 'it is not known yet');
  await stack.publish([
    { userIds: ['ada'], balance: { walletId: 'w', available_balance: '1500.00', currency: 'USD' } },
    { userIds: ['ada'], transfer: { transferId: 'tr-ada', state: 'processing', progress: 40, amount: '5.00', currency: 'USD' } },
  ]);
  await until(websocketClient, 'both', () => seen.length === 2);
  assert.deepEqual(seen.sort(), [1500, 'processing']);
  assert.equal(websocketClient.transfer('tr-ada').get().progress, 40);
  assert.equal(websocketClient.balances.get().get('w').available_balance, 1500);
});

// One network that both have, cut when each has shown its share.
stack.test('1,000 items and 100 messages through 50 cuts of the network are shown once and in order', async () => {
  let connections = 0;
  const network = await Network.open(() => stack.url(connections++ % 2));
  const [bob, bea] = [await connected('bob', { at: network.url }), await connected('bea', { at: network.url })];
  const [items, own, theirs] = [[], [], []];
  bob.on('notification', ({ data }) => items.push(Number(data.level)));
  bob.on('chatMessage', ({ text }) => own.push(text));
  bea.on('chatMessage', ({ text }) => theirs.push(text));
  const texts = upTo(MESSAGES).map((i) => `<b>${i}</b> & "${i}"`);
  const publishing = (async () => {
    for (let from = 0; from < ITEMS; from += ITEMS / CUTS) await stack.publish(events('bob', from, from + ITEMS / CUTS));
  })();
  const sending = Promise.all(texts.map((text) => bob.sendChatMessage(text, 'bea')));
  for (let cut = 0; cut < CUTS; cut++) {
    await until(bob, `items before cut ${cut}`, () => items.length >= (cut * ITEMS) / CUTS);
    await until(bea, `messages before cut ${cut}`, () => theirs.length >= (cut * MESSAGES) / CUTS);
    await Promise.all([online(bob), online(bea)]);
    network.cut();
    await until(bob, 'the cut is noticed', () => bob.connection.get().status !== 'online');
  }
  await publishing;
  const sent = await sending;
  await until(bob, 'all items', () => items.length >= ITEMS && own.length >= MESSAGES);
  await until(bea, 'all messages', () => theirs.length >= MESSAGES);
  // Whatever was on its way is here with the answers.
  await bob.notifications.list();
  const { messages } = await bea.history({ recipientId: 'bob' }, { limit: MESSAGES });
  assert.deepEqual(items, upTo(ITEMS));
  assert.deepEqual([own, theirs, messages.map(({ text }) => text)], [texts, texts, texts]);
  assert.deepEqual(
    sent.map(({ seq }) => seq),
    upTo(MESSAGES).map((i) => i + 1),
  );
  assert.equal((await bob.notifications.unread()).total, ITEMS);
  network.close();
});

stack.test('what a connection that can not be recovered missed is told once and in order', async () => {
  const network = await Network.open(() => stack.url(0));
  const client = await connected('carol', { at: network.url });
  const shown = [];
  client.on('notification', ({ data }) => shown.push(Number(data.level)));
  await stack.publish(events('carol', 0, 10));
  await until(client, 'the first', () => shown.length === 10);
  const resync = until(client, 'resync', () => client.connection.get().recovered === false && shown.length >= 710);
  network.server.close();
  network.cut();
  await stack.publish(events('carol', 10, 710)); // more than an edge replays
  await new Promise((resolve) => network.server.listen(Number(new URL(network.url).port), '127.0.0.1', resolve));
  await resync;
  await stack.publish(events('carol', 710, 720));
  await until(client, 'what follows', () => shown.length >= 720);
  assert.deepEqual(shown, upTo(720));
  network.close();
});

stack.test('an edge that is killed costs nothing', async () => {
  const client = await connected('dan', { at: 'http' });
  const shown = [];
  client.on('notification', ({ data }) => shown.push(Number(data.level)));
  await stack.publish(events('dan', 0, 5));
  await until(client, 'the first', () => shown.length === 5);
  await Promise.all([stack.kill(stack.edge(0).id), stack.kill(stack.edge(1).id), stack.publish(events('dan', 5, 50))]);
  await until(client, 'the rest', () => shown.length >= 50);
  assert.deepEqual(shown, upTo(50));
});

stack.test('marks made without a network reach the server when it is back', async () => {
  const network = await Network.open(() => stack.url(0));
  const client = await connected('eve', { at: network.url });
  await stack.publish(events('eve', 0, 3));
  await client.notifications.load();
  await until(client, 'three unread', () => client.unread.get()?.total === 3);
  network.server.close();
  network.cut();
  await until(client, 'lost', () => client.connection.get().status !== 'online');
  const ids = client.inbox.get().items.map(({ notification }) => notification.id);
  const read = client.notifications.read([ids[0]]);
  assert.equal(client.unread.get().total, 2, 'it is shown at once');
  await new Promise((resolve) => network.server.listen(Number(new URL(network.url).port), '127.0.0.1', resolve));
  assert.deepEqual(await read.then(({ changed, unread }) => ({ changed, unread })), { changed: 1, unread: 2 });
  assert.equal((await stack.verify('eve')).consistent, true);
  network.close();
});

stack.test('a mark that is refused is taken back', async () => {
  const client = await connected('fay');
  await stack.publish(events('fay', 0, 1));
  await until(client, 'one unread', () => client.unread.get()?.total === 1);
  await client.notifications.load();
  const refused = client.notifications.read(['x'.repeat(2000)]);
  await assert.rejects(refused, { name: 'RealtimeError', code: 'invalid', temporary: false });
  const all = client.notifications.read('all');
  assert.equal(client.unread.get().total, 0);
  await all;
  assert.equal(client.unread.get().total, 0);
});

stack.test('a provider is asked again when its token ends, and when it is refused', async () => {
  const now = () => Math.floor(Date.now() / 1000);
  const reasons = [];
  const lives = [-60, 30, 3600]; // seconds: has ended, ends soon, is good
  const client = sdkClient(stack, { url: stack.url(0) });
  client.connect(({ reason }) => {
    const exp = now() + lives[reasons.length];
    reasons.push(reason);
    return stack.sign('gus', { iat: now() - 100, exp });
  });
  await online(client);
  await until(client, 'renewed', () => reasons.length === 3);
  await client.notifications.list();
  assert.deepEqual(reasons, ['connect', 'refused', 'expiring']);
});

stack.test('a plain token that is refused is the end', async () => {
  const client = sdkClient(stack, { url: stack.url(0) });
  client.connect(`${await stack.token('hal')}x`);
  await until(client, 'failed', () => client.connection.get().status === 'failed');
  assert.deepEqual(client.connection.get(), { status: 'failed', reason: 'token_signature' });
});

stack.test('verbs can be aborted, and tell who is to blame', async () => {
  const client = await connected('ida');
  const abort = new AbortController();
  const pending = client.balance(undefined, { signal: abort.signal });
  abort.abort();
  await assert.rejects(pending, { code: 'aborted', temporary: false });
  await assert.rejects(client.setPresence('offline'), { code: 'invalid', field: 'status' });
  await client.setPresence('away');
  assert.deepEqual((await client.friends()).users, []);
});
