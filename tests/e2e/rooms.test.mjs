// Rooms that are open: typing and read markers, who is shown them, and when that ends. Two edges, stock clients. The check
// of rooms, which would end it as well, does not come meanwhile; it is in chat.test.mjs.

import assert from 'node:assert/strict';
import { asked, group, refused, sumOverEdges } from './chatting.mjs';
import { until, useStack } from './harness.mjs';

const EXPIRY_MS = 1_500;

const stack = useStack({
  edges: 2,
  chat: 2,
  env: { WW_TYPING_EXPIRY: `${EXPIRY_MS}ms`, WW_ROOM_CHECK: '10m', WW_CHAT_RATE: '5', WW_CHAT_BURST: '10' },
});

// Says that the client types, as often as it may; a refusal tells when that is.
async function type(client, roomId) {
  const { ok, error } = await client.ask('chat:typing', { roomId, typing: true });
  assert.ok(ok || error.code === 'rate_limited', JSON.stringify(error));
  if (!ok) await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs));
}

const sum = (name) => sumOverEdges(stack, name);

// A group of fresh users; each has it open.
async function openGroup(...users) {
  const { room, clients } = await group(stack, ...users);
  for (const client of clients) await asked(client, 'subscribe', { channel: `room:${room.id}` });
  return { room, clients };
}

stack.test('a message reaches every device of every member once, in one order', async () => {
  const { room, clients } = await openGroup('ann', 'ben', 'cat');
  const tablet = await stack.connect('ann', { at: 1 });
  for (let i = 0; i < 5; i++) {
    const reply = await asked(clients[i % 3], 'chat:send', { roomId: room.id, text: `line <${i}>`, clientId: `c${i}` });
    assert.deepEqual([reply.roomId, reply.seq], [room.id, i + 1]);
  }
  for (const client of [...clients, tablet]) {
    await client.waitFor('chat:message', (data) => data.seq === 5);
    const lines = client.payloads('chat:message');
    assert.deepEqual(lines.map((line) => line.seq), [1, 2, 3, 4, 5]);
    assert.deepEqual(lines.map((line) => line.text), [0, 1, 2, 3, 4].map((i) => `line &lt;${i}&gt;`));
    assert.deepEqual(Object.keys(lines[0]), ['id', 'roomId', 'seq', 'senderId', 'text', 'timestamp', 'clientId', 'deleted']);
  }
  const history = await asked(clients[1], 'chat:history', { roomId: room.id, limit: 2 });
  assert.deepEqual(history.messages.map((line) => line.seq), [4, 5]);
  assert.deepEqual([history.oldestSeq, history.newestSeq, history.members.length], [1, 5, 3]);
});

stack.test('typing is shown to the others who have the room open, and ends by itself', async () => {
  const { room, clients } = await openGroup('dan', 'eva', 'fay');
  const closed = await stack.connect('fay', { at: 0 });
  await asked(clients[0], 'chat:typing', { roomId: room.id, typing: true });
  for (const client of clients.slice(1)) {
    await client.waitFor('chat:typing', (data) => data.userId === 'dan' && data.typing);
    await client.waitFor('chat:typing', (data) => data.userId === 'dan' && !data.typing);
    assert.deepEqual(client.payloads('chat:typing').at(-1), { roomId: room.id, userId: 'dan', typing: false });
  }
  await asked(clients[1], 'chat:typing', { roomId: room.id, typing: true });
  await asked(clients[1], 'chat:typing', { roomId: room.id, typing: false });
  await clients[0].waitFor('chat:typing', (data) => data.userId === 'eva' && !data.typing);
  assert.ok(clients[0].payloads('chat:typing').every((data) => data.userId === 'eva'), 'never echoed to its author');
  assert.deepEqual(closed.payloads('chat:typing'), [], 'the room is not open here');
});

stack.test('read markers move forward, on all devices of the reader and for those who have the room open', async () => {
  const { room, clients } = await openGroup('gil', 'hal');
  const phone = await stack.connect('hal', { at: 0 });
  for (let i = 1; i <= 3; i++) await asked(clients[0], 'chat:send', { roomId: room.id, text: 'x', clientId: `c${i}` });
  const { rooms } = await asked(phone, 'chat:rooms');
  assert.deepEqual(rooms.map((entry) => [entry.id, entry.unread, entry.lastMessage.seq]), [[room.id, 3, 3]]);
  assert.deepEqual(await asked(clients[1], 'chat:read', { roomId: room.id, seq: 2 }), { ok: true, seq: 2, unread: 1 });
  const marker = { roomId: room.id, userId: 'hal', seq: 2 };
  for (const client of [clients[0], clients[1], phone]) assert.deepEqual(await client.waitFor('chat:read'), marker);
  assert.deepEqual(await asked(clients[1], 'chat:read', { roomId: room.id, seq: 1 }), { ok: true, seq: 2, unread: 1 });
  await refused(clients[1], 'chat:read', { roomId: room.id, seq: 9 }, 'invalid', 'seq');
  const { readMarkers } = await asked(clients[0], 'chat:history', { roomId: room.id });
  assert.deepEqual(readMarkers.map(({ userId, seq }) => [userId, seq]).sort(), [['gil', 3], ['hal', 2]]);
});

for (const [what, change, users, ask] of [
  ['was removed', 'removed', ['ian', 'joe', 'kim'], ([owner], roomId) => asked(owner, 'chat:remove', { roomId, userId: 'joe' })],
  ['left', 'left', ['ida', 'jim', 'kat'], ([, member], roomId) => asked(member, 'chat:leave', { roomId })],
]) {
  stack.test(`who ${what} sees nothing more, on every edge`, async () => {
    const { room, clients } = await openGroup(...users);
    const tablet = await stack.connect(users[1], { at: 0 });
    await asked(tablet, 'subscribe', { channel: `room:${room.id}` });
    await ask(clients, room.id);
    for (const client of [clients[1], tablet]) {
      await client.waitFor('chat:room', (data) => data.change === change && data.userId === users[1]);
      client.mark();
    }
    await asked(clients[0], 'chat:typing', { roomId: room.id, typing: true });
    await asked(clients[0], 'chat:send', { roomId: room.id, text: 'x', clientId: 'c' });
    await clients[2].waitFor('chat:message');
    await clients[2].waitFor('chat:typing');
    for (const client of [clients[1], tablet]) {
      await refused(client, 'chat:history', { roomId: room.id }, 'forbidden');
      await refused(client, 'subscribe', { channel: `room:${room.id}` }, 'forbidden');
      assert.deepEqual(client.since().filter((event) => event.name.startsWith('chat:')), []);
    }
  });
}

// What edges are told at once: the item that says so waits, and the check of rooms is a minute away.
stack.test('who was removed sees nothing more of an open room while mailboxes stand still', async () => {
  const { room, clients } = await openGroup('ula', 'val', 'wim');
  const [owner, gone, member] = clients;
  const tablet = await stack.connect('val', { at: 0 });
  await asked(tablet, 'subscribe', { channel: `room:${room.id}` });
  await asked(gone, 'chat:typing', { roomId: room.id, typing: true });
  await member.waitFor('chat:typing', (data) => data.userId === 'val' && data.typing);
  const before = await sum('ww_edge_room_views');
  await stack.frozen('notifications', async () => {
    await asked(owner, 'chat:remove', { roomId: room.id, userId: 'val' });
    for (const client of [gone, tablet]) client.mark();
    await type(owner, room.id);
    await member.waitFor('chat:typing', (data) => data.userId === 'ula');
    const told = member.payloads('chat:typing').map((data) => [data.userId, data.typing]);
    assert.deepEqual(told, [['val', true], ['val', false], ['ula', true]], 'who is gone types no more');
    await until('two views less', async () => (await sum('ww_edge_room_views')) === before - 2);
    for (const client of [gone, tablet]) {
      await refused(client, 'chat:history', { roomId: room.id }, 'forbidden');
      assert.deepEqual(client.payloads('chat:typing'), []);
    }
  });
  for (const client of [gone, tablet]) await client.waitFor('chat:room', (data) => data.change === 'removed');
});

stack.test('strangers open nothing', async () => {
  const { room } = await openGroup('ned', 'ole');
  const eve = await stack.connect('eve', { at: 0 });
  await refused(eve, 'subscribe', { channel: `room:${room.id}` }, 'forbidden');
  await refused(eve, 'subscribe', { channel: 'room:none' }, 'not_found');
  await refused(eve, 'subscribe', { channel: 'room:' }, 'invalid', 'channel');
  await refused(eve, 'chat:typing', { roomId: room.id, typing: true }, 'forbidden');
  assert.ok((await eve.ask('unsubscribe', { channel: 'room:none' })).ok);
});

stack.test('a room stays open over a recovery', async () => {
  const { room, clients } = await openGroup('pam', 'quy');
  const client = await stack.connect('quy', { at: 'http', reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100 });
  await asked(client, 'subscribe', { channel: `room:${room.id}` });
  client.socket.io.engine.close();
  await client.disconnected();
  await client.waitUntil('connected again', () => client.socket.connected);
  assert.ok(client.socket.recovered);
  const seen = () => client.payloads('chat:typing').some((data) => data.userId === 'pam');
  while (!seen()) await type(clients[0], room.id);
});

stack.test('more than the rate allows is refused, and says for how long', async () => {
  const { room, clients } = await openGroup('ria', 'sol');
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, i) => clients[1].ask('chat:send', { roomId: room.id, text: 'x', clientId: `c${i}` })),
  );
  const refusals = replies.filter((reply) => !reply.ok);
  assert.ok(refusals.length >= 5, `${refusals.length} were refused`);
  for (const { error } of refusals) {
    assert.equal(error.code, 'rate_limited');
    assert.ok(error.retryAfterMs > 0);
  }
  const typing = await Promise.all(
    Array.from({ length: 8 }, () => clients[1].ask('chat:typing', { roomId: room.id, typing: true })),
  );
  assert.ok(typing.some((reply) => !reply.ok && reply.error.code === 'rate_limited'));
});

async function ww(...args) {
  const { code, stdout, stderr } = await stack.ww(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

stack.test('an operator sees what a member sees, and may hold a room', async () => {
  const { room, clients } = await openGroup('tom', 'uma');
  await asked(clients[0], 'chat:send', { roomId: room.id, text: 'hello', clientId: 'c' });
  assert.match(await ww('chat', 'rooms', 'uma'), new RegExp(`${room.id} +group +member +2 members +1 messages +1 unread +Trip`));
  const lines = (await ww('chat', 'history', 'uma', room.id, '--json')).trim().split('\n').map(JSON.parse);
  assert.deepEqual(lines.map((line) => [line.seq, line.senderId, line.text]), [[1, 'tom', 'hello']]);
  await asked(clients[1], 'chat:report', { roomId: room.id, seq: 1, reason: 'too kind' });
  const reports = (await ww('chat', 'reports', '--json')).trim().split('\n').map(JSON.parse);
  const { timestamp, ...report } = reports[0];
  assert.deepEqual(report, { roomId: room.id, seq: 1, senderId: 'tom', reporterId: 'uma', reason: 'too kind', text: 'hello' });
  assert.ok(Date.parse(timestamp));
  assert.match(await ww('chat', 'reports'), /reason: too kind\n +text: hello/);
  assert.match(await ww('chat', 'hold', room.id), /^1 messages are held/);
  assert.match(await ww('chat', 'release', room.id), /^1 messages expire again/);
  const wrong = await stack.ww(['chat', 'history', 'eve', room.id]);
  assert.deepEqual([wrong.code, /no member/.test(wrong.stderr)], [1, true]);
  assert.equal((await stack.ww(['chat', 'rooms'])).code, 2);
});

stack.test('what somebody has said is written down, and taken away for everybody', async () => {
  const { room, clients } = await openGroup('vic', 'wes');
  await asked(clients[0], 'chat:send', { roomId: room.id, text: 'a secret of vic', clientId: 'c' });
  await clients[1].waitFor('chat:message');
  const held = (await ww('export', 'vic')).trim().split('\n').map(JSON.parse);
  const chat = held.map((line) => line.chat).filter(Boolean);
  assert.deepEqual(chat.map((record) => Object.keys(record)[0]), ['room', 'message']);
  assert.equal(chat[1].message.text, 'a secret of vic');
  const said = await ww('erase', 'vic', '--yes');
  assert.match(said, /said +1 /);
  assert.match(said, /rooms +1 /);
  await clients[1].waitFor('chat:message', (data) => data.deleted && data.seq === 1);
  await clients[1].waitFor('chat:room', (data) => data.change === 'left' && data.userId === 'vic');
  const { messages } = await asked(clients[1], 'chat:history', { roomId: room.id });
  assert.deepEqual(messages.map((line) => [line.text, line.deleted]), [['', true]]);
  assert.doesNotMatch(await ww('export', 'vic'), /a secret of vic/);
});
