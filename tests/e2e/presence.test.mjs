// Who is online, and who may see it: stock clients at two edges, two replicas of ww-presence, and all of them killed.

import assert from 'node:assert/strict';
import { asked, connectAll, refused } from './chatting.mjs';
import { seen } from './friends.mjs';
import { kyc, until, useStack } from './harness.mjs';

const GRACE_MS = 1_500;
const AWAY_MS = 3_000;
const RECONNECT = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 200 };
// Long enough for a grace to end several times over, had it begun.
const QUIET_MS = 3 * GRACE_MS;

const stack = useStack({
  edges: 2,
  presence: 2,
  env: {
    WW_OFFLINE_GRACE: `${GRACE_MS}ms`,
    WW_AWAY_AFTER: `${AWAY_MS}ms`,
    WW_EDGE_SILENCE: '7s', // an edge speaks every 5 s
    WW_MAX_USER_SOCKETS: '4',
    WW_FRIENDS_ONLY: 'true', // ww-chat's: it asks here
  },
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function friends(...args) {
  const { code, stderr } = await stack.ww(['friends', ...args]);
  assert.equal(code, 0, stderr);
}

const sees = (client, user, status) => client.waitUntil(`${user} is ${status}`, () => seen(client, user) === status, 30_000);
const updatesOf = (client, user) => client.payloads('presence:update').filter((data) => data.userId === user);

stack.test('friends see each other at once, and nobody else sees anything', async () => {
  await friends('add', 'alice', 'bob', 'carol');
  const clients = { alice: await stack.connect('alice', { at: 0 }), bob: await stack.connect('bob', { at: 1 }) };
  clients.carol = await stack.connect('carol', { at: 'http' });
  clients.eve = await stack.connect('eve', { at: 0 });
  const mayBeSeen = { alice: ['bob', 'carol'], bob: ['alice'], carol: ['alice'], eve: [] };
  const everybody = Object.keys(clients);
  for (const [name, client] of Object.entries(clients)) {
    for (const other of mayBeSeen[name]) await sees(client, other, 'online');
    const { ok, users } = await client.ask('presence:get', { userIds: everybody });
    assert.ok(ok);
    assert.deepEqual(users.map((user) => user.userId).sort(), mayBeSeen[name], `what ${name} may get`);
    const list = await client.ask('presence:friends');
    assert.deepEqual([list.users.map((user) => user.userId), list.next], [mayBeSeen[name], '']);
  }
  for (const [name, client] of Object.entries(clients)) {
    for (const { data } of client.events.filter((event) => event.name.startsWith('presence:'))) {
      for (const user of data.users ?? [data]) assert.ok(mayBeSeen[name].includes(user.userId), `${name} was told of ${user.userId}`);
    }
  }
  assert.equal(clients.eve.events.filter((event) => event.name.startsWith('presence:')).length, 0);
});

stack.test('a user is the best of the devices, and offline a grace after the last', async () => {
  await friends('add', 'phone-owner', 'watcher-1');
  const watcher = await stack.connect('watcher-1', { at: 0 });
  const phone = await stack.connect('phone-owner', { at: 0 });
  const laptop = await stack.connect('phone-owner', { at: 1 });
  await sees(watcher, 'phone-owner', 'online');
  assert.deepEqual(await phone.ask('presence:set', { status: 'away' }), { ok: true });
  assert.deepEqual(await laptop.ask('presence:set', { status: 'away' }), { ok: true });
  await sees(watcher, 'phone-owner', 'away');
  await laptop.ask('presence:set', { status: 'online' });
  await sees(watcher, 'phone-owner', 'online');
  laptop.close();
  await sees(watcher, 'phone-owner', 'away');
  const before = Date.now();
  phone.close();
  await sees(watcher, 'phone-owner', 'offline');
  const { lastSeen } = updatesOf(watcher, 'phone-owner').at(-1);
  assert.ok(Math.abs(new Date(lastSeen).getTime() - before) < GRACE_MS, `seen at ${lastSeen}, not after the grace`);
});

stack.test('a client that does nothing is away, and back with the next thing it does', async () => {
  await friends('add', 'sleepy', 'watcher-2');
  const watcher = await stack.connect('watcher-2', { at: 1 });
  const sleepy = await stack.connect('sleepy', { at: 0 });
  await sees(watcher, 'sleepy', 'online');
  await sees(watcher, 'sleepy', 'away');
  await sleepy.ask('notifications:unread');
  await sees(watcher, 'sleepy', 'online');
});

stack.test('what can not be set is refused by its name', async () => {
  const client = await stack.connect('setter');
  for (const status of ['offline', 'busy', 7, undefined]) {
    const { ok, error } = await client.ask('presence:set', { status });
    assert.deepEqual([ok, error.code, error.field], [false, 'invalid', 'status']);
  }
  for (const [event, payload, field] of [
    ['presence:get', { userIds: [] }, 'userIds'],
    ['presence:get', { userIds: Array.from({ length: 101 }, (_, i) => `u${i}`) }, 'userIds'],
    ['presence:friends', { limit: 1001 }, 'limit'],
  ]) {
    const { ok, error } = await client.ask(event, payload);
    assert.deepEqual([ok, error.code, error.field], [false, 'invalid', field]);
  }
});

stack.test('whoever hides is offline to friends, who learn nothing until it ends', async () => {
  await friends('add', 'shy', 'watcher-3');
  const watcher = await stack.connect('watcher-3', { at: 0 });
  const shy = await stack.connect('shy', { at: 1 });
  await sees(watcher, 'shy', 'online');
  assert.deepEqual(await shy.ask('presence:privacy', { visible: false }), { ok: true, visible: false });
  await sees(watcher, 'shy', 'offline');
  const hidden = (await watcher.ask('presence:get', { userIds: ['shy'] })).users;
  assert.deepEqual([hidden[0].status, typeof hidden[0].lastSeen], ['offline', 'string'], 'like anybody who went just now');
  watcher.mark();
  await shy.ask('presence:set', { status: 'away' });
  await shy.ask('presence:set', { status: 'online' });
  shy.close();
  await sleep(QUIET_MS);
  const again = await stack.connect('shy', { at: 0 });
  assert.deepEqual(await again.ask('presence:privacy'), { ok: true, visible: false });
  const { users } = await watcher.ask('presence:get', { userIds: ['shy'] });
  assert.deepEqual(users, hidden);
  assert.deepEqual(updatesOf(watcher, 'shy'), []);
  await again.ask('presence:privacy', { visible: true });
  await sees(watcher, 'shy', 'online');
});

stack.test('who is no friend any more is cut off at once', async () => {
  await friends('add', 'ex-1', 'ex-2');
  const one = await stack.connect('ex-1', { at: 0 });
  const two = await stack.connect('ex-2', { at: 1 });
  await sees(one, 'ex-2', 'online');
  await sees(two, 'ex-1', 'online');
  await friends('remove', 'ex-1', 'ex-2');
  await sees(one, 'ex-2', 'offline');
  await sees(two, 'ex-1', 'offline');
  one.mark();
  await two.ask('presence:set', { status: 'away' });
  await sleep(QUIET_MS);
  assert.deepEqual(updatesOf(one, 'ex-2'), []);
  assert.deepEqual((await one.ask('presence:get', { userIds: ['ex-2'] })).users, []);
});

stack.test('where only friends may, nobody else is written to, also who was a friend before', async () => {
  await friends('add', 'pal-1', 'pal-2', 'pal-3');
  const [pal, second, stranger] = await connectAll(stack, 'pal-1', 'pal-2', 'no-pal');
  const { room } = await asked(pal, 'chat:create', { type: 'group', name: 'Pals', members: ['pal-2', 'pal-3'] });
  const first = await asked(second, 'chat:send', { recipientId: 'pal-1', text: 'hi', clientId: 'c1' });
  const { roomId } = first;
  await pal.waitFor('chat:message', (message) => message.roomId === roomId);
  for (const [client, other] of [
    [pal, 'no-pal'],
    [stranger, 'pal-1'],
    [second, 'pal-3'], // friends of a friend are none
  ]) {
    await refused(client, 'chat:send', { recipientId: other, text: 'x', clientId: 'c2' }, 'forbidden', 'recipientId');
    await refused(client, 'chat:create', { type: 'direct', members: [other] }, 'forbidden', 'members');
    await refused(client, 'chat:create', { type: 'group', name: 'Trap', members: [other] }, 'forbidden', 'members');
  }
  await refused(pal, 'chat:invite', { roomId: room.id, userId: 'no-pal' }, 'forbidden', 'userId');
  await friends('remove', 'pal-1', 'pal-2');
  let n = 0;
  const refusal = await until('ww-chat knows of the end', async () => {
    const { ok, error } = await second.ask('chat:send', { roomId, text: 'x', clientId: `late-${++n}` });
    if (error?.code === 'forbidden') return error;
    assert.ok(ok, JSON.stringify(error));
    await sleep(250); // it may believe what it was told for ten seconds, and takes five a second
    return undefined;
  });
  assert.equal(refusal.field, 'roomId');
  const retry = await asked(second, 'chat:send', { recipientId: 'pal-1', text: 'hi', clientId: 'c1' });
  assert.deepEqual(retry, first, 'what was sent was sent');
  assert.equal((await asked(second, 'chat:send', { roomId: room.id, text: 'all', clientId: 'c3' })).seq, 1, 'a group stays');
  assert.deepEqual(stranger.events.filter(({ name }) => name.startsWith('chat:')), []);
});

stack.test('a recovery inside the grace shows nothing to anybody', async () => {
  await friends('add', 'commuter', 'watcher-4');
  const watcher = await stack.connect('watcher-4', { at: 0 });
  const commuter = await stack.connect('commuter', { at: 'http', ...RECONNECT });
  await sees(watcher, 'commuter', 'online');
  watcher.mark();
  for (let i = 0; i < 3; i++) {
    commuter.socket.io.engine.close();
    await until('it is back', () => commuter.socket.connected && commuter.disconnects.length > i);
    assert.ok(commuter.socket.recovered);
    await commuter.ask('notifications:unread'); // nor is it away meanwhile
  }
  await sleep(QUIET_MS / 3);
  assert.deepEqual(
    updatesOf(watcher, 'commuter').filter((data) => data.status === 'offline'),
    [],
  );
});

stack.test('an edge that is killed leaves no ghosts, and who came back elsewhere was never away', async () => {
  await friends('add', 'watcher-5', 'lost', 'mover');
  const watcher = await stack.connect('watcher-5', { at: 1 });
  await stack.connect('lost', { at: 0 });
  const mover = await stack.connect('mover', { at: 0, ...RECONNECT });
  await sees(watcher, 'lost', 'online');
  await sees(watcher, 'mover', 'online');
  mover.socket.io.uri = stack.url(1); // where it reconnects to
  watcher.mark();
  await stack.kill('edge-1');
  await until('the mover is back', () => mover.socket.connected && mover.disconnects.length > 0);
  await sees(watcher, 'lost', 'offline');
  assert.deepEqual(
    updatesOf(watcher, 'mover').filter((data) => data.status === 'offline'),
    [],
  );
  await stack.waitReady('edge-1');
});

stack.test('either replica may be killed', async () => {
  await friends('add', 'watcher-6', 'busy');
  const watcher = await stack.connect('watcher-6', { at: 0 });
  const busy = await stack.connect('busy', { at: 1 });
  await sees(watcher, 'busy', 'online');
  for (const name of ['presence', 'presence-2', 'presence']) {
    await stack.kill(name);
    await busy.ask('presence:set', { status: 'away' });
    await sees(watcher, 'busy', 'away');
    await busy.ask('presence:set', { status: 'online' });
    await sees(watcher, 'busy', 'online');
    await stack.waitReady(name);
  }
});

stack.test('NATS is killed, and what happened meanwhile is seen after it', async () => {
  await friends('add', 'watcher-7', 'leaver', 'stayer');
  const watcher = await stack.connect('watcher-7', { at: 0 });
  const leaver = await stack.connect('leaver', { at: 1 });
  await stack.connect('stayer', { at: 1 });
  await sees(watcher, 'leaver', 'online');
  await sees(watcher, 'stayer', 'online');
  watcher.mark();
  const killed = stack.kill('nats');
  leaver.close();
  await killed;
  await sees(watcher, 'leaver', 'offline');
  assert.deepEqual(
    updatesOf(watcher, 'stayer').filter((data) => data.status === 'offline'),
    [],
  );
});

stack.test('without any replica the rest goes on, and presence comes back by itself', async () => {
  await friends('add', 'watcher-8', 'patient');
  const watcher = await stack.connect('watcher-8', { at: 0 });
  await stack.connect('patient', { at: 1 });
  await sees(watcher, 'patient', 'online');
  await stack.away('presence', () =>
    stack.away('presence-2', async () => {
      const { ok, error } = await watcher.ask('presence:get', { userIds: ['patient'] });
      assert.deepEqual([ok, error.code, error.retryAfterMs > 0], [false, 'unavailable', true]);
      await stack.publish([kyc('watcher-8', 1)]);
      await watcher.waitFor('kyc:update');
      assert.ok(seen(watcher, 'patient') !== 'offline', 'nobody is said to have gone');
    }),
  );
  await stack.waitReady('presence');
  const { ok } = await watcher.ask('presence:get', { userIds: ['patient'] });
  assert.ok(ok);
});

stack.test('sockets of a user are counted over all edges', async () => {
  const refusals = [];
  for (let i = 0; i < 5; i++) {
    const client = await stack.connect('crowd', { at: i % 2 });
    client.socket.on('connect_error', (error) => refusals.push(error.data?.code ?? error.message));
  }
  // The newest, unless another replica has just taken over, which can't tell.
  await until('one of them was told to go', () => refusals.length > 0, 30_000);
  await sleep(QUIET_MS / 3);
  assert.deepEqual(refusals, ['too_many_sockets']);
});
