// Rooms and what is said in them, as their members' devices see it: two edges, two replicas of ww-chat, stock clients.
// What is shown of a room that is open, and the end of that, is in rooms.test.mjs; who may write to whom where only friends
// may, in presence.test.mjs.

import assert from 'node:assert/strict';
import parser from 'socket.io-msgpack-parser';
import { asked, connectAll, group, refused, sumOverEdges } from './chatting.mjs';
import { until, useStack } from './harness.mjs';
import { frame, RawSocket, TEXT } from './raw.mjs';

const HISTORY = 100; // of a room's newest messages
const AT_ONCE = 26; // questions that wait for an answer: an edge takes 32 of a socket
const WINDOW = '15 minutes'; // to edit or delete a message
const RECONNECT = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 200 };

const stack = useStack({
  edges: 2,
  chat: 2,
  env: { WW_ROOM_CHECK: '500ms', WW_EVENT_RATE: '1000', WW_EVENT_BURST: '1000', WW_CHAT_RATE: '100', WW_CHAT_BURST: '100' },
});

const sequence = (count, from = 1) => Array.from({ length: count }, (_, i) => from + i);
const seqs = (messages) => messages.map((message) => message.seq);
const say = (client, roomId, text, clientId = text) => asked(client, 'chat:send', { roomId, text, clientId });
const shown = (client, roomId) => client.payloads('chat:message').filter((message) => message.roomId === roomId);
const changes = (client, roomId) => client.payloads('chat:room').filter((data) => data.roomId === roomId);
const story = (client, roomId) => changes(client, roomId).map((data) => `${data.change} ${data.userId}`);

// Messages `from` to `to` of a room, in batches.
async function fill(client, roomId, from, to) {
  for (let first = from; first <= to; first += AT_ONCE) {
    const batch = sequence(Math.min(AT_ONCE, to - first + 1), first);
    await Promise.all(batch.map((n) => say(client, roomId, `line ${n}`)));
  }
}

// As if the message had been sent so much earlier.
async function makeOlder(roomId, seq, interval) {
  const moved = `UPDATE chat.messages SET created_at = created_at - interval '${interval}' WHERE room_id = '${roomId}' AND seq = ${seq} RETURNING seq`;
  assert.deepEqual(await stack.psql('chat', '-c', moved), [String(seq)]);
}

/* ---- rooms ---- */

stack.test('a direct room is one for a pair, found from either side, and stays', async () => {
  const [abe, bea, eve] = await connectAll(stack, 'abe', 'bea', 'eve-1');
  const created = await Promise.all([
    asked(abe, 'chat:create', { type: 'direct', members: ['bea'] }),
    asked(bea, 'chat:create', { type: 'direct', members: ['abe'] }),
  ]);
  const roomId = created[0].room.id;
  assert.deepEqual(created[1].room, created[0].room);
  assert.deepEqual([created[0].room.type, created[0].room.name, created[0].room.members.sort()], ['direct', '', ['abe', 'bea']]);
  const first = await asked(bea, 'chat:send', { recipientId: 'abe', text: 'hi', clientId: 'c' });
  assert.deepEqual([first.roomId, first.seq], [roomId, 1]);
  for (const [client, other] of [[abe, 'bea'], [bea, 'abe']]) {
    await client.waitFor('chat:message', (message) => message.roomId === roomId);
    assert.equal(changes(client, roomId).length, 1, 'told of once');
    const found = await asked(client, 'chat:history', { recipientId: other });
    assert.deepEqual([found.roomId, found.messages.length], [roomId, 1]);
    await refused(client, 'chat:leave', { roomId }, 'invalid', 'roomId');
    await refused(client, 'chat:invite', { roomId, userId: 'eve-1' }, 'invalid', 'roomId');
  }
  await refused(abe, 'chat:create', { type: 'direct', members: ['abe'] }, 'invalid', 'members');
  await refused(abe, 'chat:send', { recipientId: 'abe', text: 'x', clientId: 'c' }, 'invalid', 'recipientId');
  for (const [event, payload] of [
    ['chat:history', { roomId }],
    ['chat:send', { roomId, text: 'x', clientId: 'c' }],
    ['chat:read', { roomId, seq: 1 }],
    ['chat:edit', { roomId, seq: 1, text: 'x' }],
    ['chat:delete', { roomId, seq: 1 }],
    ['chat:report', { roomId, seq: 1, reason: 'x' }],
    ['chat:typing', { roomId, typing: true }],
    ['subscribe', { channel: `room:${roomId}` }],
  ]) {
    await refused(eve, event, payload, 'forbidden');
    if (event !== 'subscribe') await refused(eve, event, { ...payload, roomId: 'no-such-room' }, 'not_found');
  }
  assert.deepEqual((await asked(eve, 'chat:rooms')).rooms, []);
  assert.deepEqual(eve.events.filter(({ name }) => name.startsWith('chat:')), []);
});

stack.test('roles decide who invites, removes and renames, and everybody is told the same', async () => {
  const { roomId, clients } = await group(stack, 'own-2', 'mem-2');
  const [owner, member] = clients;
  const [admin, late, eve] = await connectAll(stack, 'adm-2', 'late-2', 'eve-2');
  await say(owner, roomId, 'before');
  await refused(member, 'chat:invite', { roomId, userId: 'late-2' }, 'forbidden');
  await refused(eve, 'chat:join', { roomId }, 'forbidden');
  await asked(owner, 'chat:invite', { roomId, userId: 'adm-2', admin: true });
  await admin.waitFor('chat:room', (data) => data.change === 'invited');
  for (const [event, payload] of [
    ['chat:history', { roomId }],
    ['chat:send', { roomId, text: 'x', clientId: 'c' }],
    ['chat:typing', { roomId, typing: true }],
    ['subscribe', { channel: `room:${roomId}` }],
  ]) {
    await refused(admin, event, payload, 'forbidden');
  }
  const { room } = await asked(admin, 'chat:join', { roomId });
  assert.deepEqual(room.members.sort(), ['adm-2', 'mem-2', 'own-2']);
  await refused(admin, 'chat:invite', { roomId, userId: 'late-2', admin: true }, 'forbidden');
  await asked(admin, 'chat:invite', { roomId, userId: 'late-2' });
  await asked(late, 'chat:leave', { roomId }); // declined
  await refused(late, 'chat:join', { roomId }, 'forbidden');
  await asked(admin, 'chat:invite', { roomId, userId: 'late-2' });
  await asked(late, 'chat:join', { roomId });
  await say(member, roomId, 'after');
  await late.waitFor('chat:message', (message) => message.text === 'after');
  const seen = await asked(late, 'chat:history', { roomId });
  assert.deepEqual(seen.messages.map((message) => message.text), ['after'], 'what was said before is not theirs');
  assert.deepEqual(seen.members.map(({ userId, role }) => [userId, role]).sort(), [
    ['adm-2', 'admin'],
    ['late-2', 'member'],
    ['mem-2', 'member'],
    ['own-2', 'owner'],
  ]);
  await refused(member, 'chat:rename', { roomId, name: 'Mine' }, 'forbidden');
  await refused(member, 'chat:remove', { roomId, userId: 'late-2' }, 'forbidden');
  await refused(admin, 'chat:remove', { roomId, userId: 'own-2' }, 'forbidden');
  await asked(admin, 'chat:rename', { roomId, name: 'Ours' });
  await asked(admin, 'chat:remove', { roomId, userId: 'late-2' });
  await asked(owner, 'chat:leave', { roomId });
  await asked(admin, 'chat:invite', { roomId, userId: 'eve-2', admin: true }); // the owner's to give: it was handed over
  await eve.waitFor('chat:room', (data) => data.change === 'invited');
  const told = ['invited adm-2', 'joined adm-2', 'invited late-2', 'left late-2', 'invited late-2', 'joined late-2', 'renamed adm-2', 'removed late-2'];
  const rest = ['left own-2', 'invited eve-2'];
  await member.waitFor('chat:room', (data) => data.userId === 'eve-2');
  assert.deepEqual(story(member, roomId), ['created own-2', ...told, ...rest]);
  await admin.waitFor('chat:room', (data) => data.userId === 'eve-2');
  assert.deepEqual(changes(admin, roomId).at(-1), changes(member, roomId).at(-1));
  assert.deepEqual(story(owner, roomId), ['created own-2', ...told, 'left own-2'], 'nothing after leaving');
  assert.equal(story(late, roomId).at(-1), 'removed late-2', 'nothing after the removal');
  assert.deepEqual(shown(late, roomId).map((message) => message.text), ['after']);
  const { rooms } = await asked(admin, 'chat:rooms');
  assert.deepEqual(rooms.map((entry) => [entry.id, entry.name, entry.role]), [[roomId, 'Ours', 'owner']]);
  assert.deepEqual((await asked(owner, 'chat:rooms')).rooms, []);
});

stack.test('the owner makes admins, and somebody else the owner', async () => {
  const { roomId, clients } = await group(stack, 'own-r', 'may-r', 'nia-r');
  const [owner, may, nia] = clients;
  await refused(may, 'chat:role', { roomId, userId: 'nia-r', role: 'admin' }, 'forbidden');
  await refused(owner, 'chat:role', { roomId, userId: 'eve-r', role: 'admin' }, 'invalid', 'userId');
  await refused(owner, 'chat:role', { roomId, userId: 'may-r', role: 'king' }, 'invalid', 'role');
  await asked(owner, 'chat:role', { roomId, userId: 'may-r', role: 'admin' });
  await asked(may, 'chat:rename', { roomId, name: 'Ours' });
  await asked(owner, 'chat:role', { roomId, userId: 'nia-r', role: 'owner' });
  await asked(nia, 'chat:role', { roomId, userId: 'may-r', role: 'member' });
  await refused(owner, 'chat:role', { roomId, userId: 'may-r', role: 'admin' }, 'forbidden');
  await refused(may, 'chat:rename', { roomId, name: 'Mine' }, 'forbidden');
  for (const client of clients) await client.waitUntil('all is told', () => changes(client, roomId).length === 5);
  assert.deepEqual(story(may, roomId), ['created own-r', 'role may-r', 'renamed may-r', 'role nia-r', 'role may-r']);
  const { members } = await asked(may, 'chat:history', { roomId });
  assert.deepEqual(members.map(({ userId, role }) => [userId, role]), [['nia-r', 'owner'], ['own-r', 'admin'], ['may-r', 'member']]);
});

stack.test('rooms are listed by their newest activity, each with what there is to know', async () => {
  const [ann, ben] = await connectAll(stack, 'ann-3', 'ben-3');
  const ids = [];
  for (const n of sequence(5)) {
    const { room } = await asked(ann, 'chat:create', { type: 'group', name: `Room ${n}`, members: ['ben-3'], clientId: `g${n}` });
    ids.unshift(room.id);
  }
  const again = await asked(ann, 'chat:create', { type: 'group', name: 'Room 1', members: ['ben-3'], clientId: 'g1' });
  assert.equal(again.room.id, ids.at(-1), 'a retry is the same group');
  await say(ann, ids[4], 'one');
  await say(ben, ids[4], 'two');
  await say(ann, ids[4], 'three');
  const order = [ids[4], ...ids.slice(0, 4)];
  const pages = [];
  for (let before = ''; before !== undefined; before = pages.at(-1).next || undefined) {
    pages.push(await asked(ben, 'chat:rooms', { limit: 2, ...(before && { before }) }));
    assert.ok(pages.length < 10);
  }
  const listed = pages.flatMap((page) => page.rooms);
  assert.deepEqual(listed.map((entry) => entry.id), order);
  assert.deepEqual(
    [listed[0].name, listed[0].members.sort(), listed[0].newestSeq, listed[0].readSeq, listed[0].unread, listed[0].lastMessage.text],
    ['Room 1', ['ann-3', 'ben-3'], 3, 2, 1, 'three'],
  );
  assert.ok(listed.slice(1).every((entry) => entry.lastMessage === undefined && entry.newestSeq === 0 && entry.unread === 0));
  await refused(ben, 'chat:rooms', { limit: 51 }, 'invalid', 'limit');
  await refused(ben, 'chat:rooms', { before: 'made up' }, 'invalid', 'before');
});

/* ---- messages ---- */

stack.test('a message is sent once however often it is sent, from whatever device and edge', async () => {
  const { roomId, clients } = await group(stack, 'ann-4', 'ben-4');
  const tablet = await stack.connect('ann-4', { at: 1 });
  const devices = [...clients, tablet];
  const first = await say(clients[0], roomId, 'hello', 'key');
  assert.deepEqual(await say(tablet, roomId, 'hello', 'key'), first);
  assert.deepEqual(await say(clients[0], roomId, 'other words', 'key'), first, 'the first one counts');
  const atOnce = await Promise.all(sequence(8).map((n) => say(n % 2 ? clients[0] : tablet, roomId, 'once', 'key-2')));
  for (const reply of atOnce) assert.deepEqual(reply, atOnce[0]);
  const others = await say(clients[1], roomId, 'mine', 'key');
  assert.deepEqual([first.seq, atOnce[0].seq, others.seq], [1, 2, 3], 'keys are their sender’s own');
  for (const device of devices) {
    await device.waitFor('chat:message', (message) => message.seq === 3);
    assert.deepEqual(shown(device, roomId).map(({ seq, senderId, text, clientId }) => [seq, senderId, text, clientId]), [
      [1, 'ann-4', 'hello', 'key'],
      [2, 'ann-4', 'once', 'key-2'],
      [3, 'ben-4', 'mine', 'key'],
    ]);
    assert.deepEqual([shown(device, roomId)[0].id, shown(device, roomId)[0].timestamp], [first.id, first.timestamp]);
  }
  const { messages } = await asked(clients[1], 'chat:history', { roomId });
  assert.deepEqual(messages, shown(clients[1], roomId), 'history says what was shown');
  for (const [payload, field] of [
    [{ roomId, text: 'x' }, 'clientId'],
    [{ roomId, text: 'x', clientId: 'k'.repeat(129) }, 'clientId'],
    [{ roomId, clientId: 'c' }, 'text'],
    [{ roomId, text: 7, clientId: 'c' }, 'text'],
    [{ text: 'x', clientId: 'c' }, 'roomId'],
    [{ roomId, text: 'x', clientId: 'c', senderId: 'ben-4' }, 'senderId'],
  ]) {
    await refused(clients[0], 'chat:send', payload, 'invalid', field);
  }
});

stack.test('all see one order, who talks at once and who was away meanwhile alike', async () => {
  const users = ['ann-5', 'ben-5', 'cat-5', 'dan-5'];
  const { roomId, clients } = await group(stack, ...users);
  const commuter = await stack.connect('dan-5', { at: 'http', ...RECONNECT });
  const lines = sequence(20);
  const talks = clients.map(async (client, i) => {
    for (const n of lines) await say(client, roomId, `${users[i]} ${n}`);
  });
  for (const cut of sequence(3)) {
    await commuter.waitUntil(`${cut * 15} messages`, () => shown(commuter, roomId).length >= cut * 15);
    commuter.socket.io.engine.close();
    await commuter.waitUntil('it is back', () => commuter.socket.connected && commuter.disconnects.length === cut);
    assert.ok(commuter.socket.recovered);
  }
  await Promise.all(talks);
  const all = sequence(users.length * lines.length);
  for (const client of [...clients, commuter]) {
    await client.waitFor('chat:message', (message) => message.seq === all.length);
    assert.deepEqual(seqs(shown(client, roomId)), all, 'each once, in the order of seq');
    assert.deepEqual(shown(client, roomId), shown(clients[0], roomId));
  }
  for (const user of users) {
    const own = shown(commuter, roomId).filter((message) => message.senderId === user);
    assert.deepEqual(own.map((message) => message.text), lines.map((n) => `${user} ${n}`), 'and in that of who said it');
  }
  const { messages } = await asked(clients[1], 'chat:history', { roomId, limit: 100 });
  assert.deepEqual(messages, shown(clients[0], roomId));
});

stack.test('history is paged by seq, both ways, and has the newest hundred', async () => {
  const { roomId, clients } = await group(stack, 'ann-6', 'ben-6');
  const total = HISTORY + 10;
  const oldest = total - HISTORY + 1;
  await fill(clients[0], roomId, 1, total);
  const page = async (query) => seqs((await asked(clients[1], 'chat:history', { roomId, ...query })).messages);
  const whole = await asked(clients[1], 'chat:history', { roomId, limit: 100 });
  assert.deepEqual(seqs(whole.messages), sequence(HISTORY, oldest));
  assert.deepEqual([whole.oldestSeq, whole.newestSeq, whole.type, whole.name, whole.members.length], [oldest, total, 'group', 'Trip', 2]);
  assert.deepEqual(await page({}), sequence(50, total - 49), 'the newest fifty');
  assert.deepEqual(await page({ before: 50, limit: 10 }), sequence(10, 40));
  assert.deepEqual(await page({ after: 50, limit: 10 }), sequence(10, 51));
  assert.deepEqual(await page({ after: 50, before: 55, limit: 10 }), sequence(4, 51));
  assert.deepEqual(await page({ after: 1, limit: 5 }), sequence(5, oldest), 'from the oldest that is kept');
  assert.deepEqual(await page({ after: oldest, limit: 5 }), sequence(5, oldest + 1));
  assert.deepEqual(await page({ before: oldest }), []);
  assert.deepEqual(await page({ after: total }), []);
  for (const [forth, step] of [
    [true, 7],
    [false, 33],
  ]) {
    const seen = [];
    for (let next = await page(forth ? { after: 1, limit: step } : { limit: step }); next.length > 0; ) {
      if (forth) seen.push(...next);
      else seen.unshift(...next);
      next = await page(forth ? { after: seen.at(-1), limit: step } : { before: seen[0], limit: step });
    }
    assert.deepEqual(seen, sequence(HISTORY, oldest), forth ? 'forth' : 'back');
  }
  await refused(clients[1], 'chat:history', { roomId, limit: 101 }, 'invalid', 'limit');
  await refused(clients[1], 'chat:history', { roomId, before: -1 }, 'invalid', 'before');
});

stack.test('what is unread is the same on all devices, also on those that come later', async () => {
  const { roomId, clients } = await group(stack, 'ann-7', 'ben-7');
  const [ann, ben] = clients;
  const phone = await stack.connect('ben-7', { at: 0 });
  await fill(ann, roomId, 1, 5);
  await phone.waitFor('chat:message', (message) => message.seq === 5);
  const unread = async (client) => (await asked(client, 'chat:rooms')).rooms.map((entry) => [entry.readSeq, entry.unread]);
  for (const device of [ben, phone]) assert.deepEqual(await unread(device), [[0, 5]]);
  await asked(phone, 'chat:read', { roomId, seq: 3 });
  assert.deepEqual(await ben.waitFor('chat:read'), { roomId, userId: 'ben-7', seq: 3 });
  for (const device of [ben, phone]) assert.deepEqual(await unread(device), [[3, 2]]);
  assert.deepEqual(await unread(ann), [[5, 0]], 'whoever writes has read');
  await say(ben, roomId, 'answer');
  assert.deepEqual(await unread(phone), [[6, 0]]);
  assert.deepEqual(await unread(ann), [[5, 1]]);
  const later = await stack.connect('ben-7', { at: 1 });
  assert.deepEqual(await unread(later), [[6, 0]]);
  const { readMarkers } = await asked(later, 'chat:history', { roomId });
  assert.deepEqual(readMarkers.map(({ userId, seq }) => [userId, seq]).sort(), [['ann-7', 5], ['ben-7', 6]]);
});

stack.test('a message is edited and deleted by its sender, as long as the window is open', async () => {
  const { roomId, clients } = await group(stack, 'ann-8', 'ben-8');
  const [ann, ben] = clients;
  const tablet = await stack.connect('ann-8', { at: 1 });
  for (const text of ['typo', 'regret', 'old']) await say(ann, roomId, text);
  for (const client of [ben, tablet]) await client.waitFor('chat:message', (message) => message.seq === 3);
  await refused(ben, 'chat:edit', { roomId, seq: 1, text: 'x' }, 'forbidden');
  await refused(ben, 'chat:delete', { roomId, seq: 1 }, 'forbidden');
  await refused(ann, 'chat:edit', { roomId, seq: 9, text: 'x' }, 'not_found');
  const { message: edited } = await asked(ann, 'chat:edit', { roomId, seq: 1, text: 'right' });
  assert.deepEqual([edited.seq, edited.text, edited.deleted], [1, 'right', false]);
  assert.match(edited.editedAt, /^20.*Z$/);
  assert.deepEqual((await asked(tablet, 'chat:edit', { roomId, seq: 1, text: 'right' })).message, edited, 'again is fine');
  const { message: deleted } = await asked(tablet, 'chat:delete', { roomId, seq: 2 });
  assert.deepEqual([deleted.text, deleted.deleted], ['', true]);
  assert.deepEqual((await asked(ann, 'chat:delete', { roomId, seq: 2 })).message, deleted, 'again is fine');
  await refused(ann, 'chat:edit', { roomId, seq: 2, text: 'x' }, 'not_found');
  assert.equal((await say(ann, roomId, 'regret')).seq, 2, 'it was sent all the same');
  await makeOlder(roomId, 3, WINDOW);
  await refused(ann, 'chat:edit', { roomId, seq: 3, text: 'x' }, 'forbidden');
  await refused(ann, 'chat:delete', { roomId, seq: 3 }, 'forbidden');
  await say(ben, roomId, 'end');
  for (const client of [ann, ben, tablet]) {
    await client.waitFor('chat:message', (message) => message.seq === 4);
    assert.deepEqual(seqs(shown(client, roomId)), [1, 2, 3, 1, 2, 4]);
    assert.deepEqual(shown(client, roomId).slice(3, 5), [edited, deleted]);
  }
  const { messages } = await asked(ben, 'chat:history', { roomId });
  assert.deepEqual(messages.map((message) => message.text), ['right', '', 'old', 'end']);
});

stack.test('who blocks and who is blocked say nothing to each other directly', async () => {
  const [ann, ben] = await connectAll(stack, 'ann-9', 'ben-9');
  const { roomId } = await asked(ann, 'chat:send', { recipientId: 'ben-9', text: 'hello', clientId: 'c1' });
  const { room: trip } = await asked(ann, 'chat:create', { type: 'group', name: 'Trip', members: ['ben-9'] });
  for (const client of [ann, ben]) {
    await client.waitFor('chat:room', (data) => data.roomId === trip.id);
    await asked(client, 'subscribe', { channel: `room:${roomId}` });
    await asked(client, 'subscribe', { channel: `room:${trip.id}` });
  }
  await asked(ben, 'chat:block', { userId: 'ann-9' });
  await asked(ben, 'chat:block', { userId: 'ann-9' });
  assert.deepEqual((await asked(ben, 'chat:blocks')).userIds, ['ann-9']);
  assert.deepEqual((await asked(ann, 'chat:blocks')).userIds, [], 'nobody is told who blocks them');
  for (const [client, other] of [[ann, 'ben-9'], [ben, 'ann-9']]) {
    client.mark();
    for (const to of [{ roomId }, { recipientId: other }]) await refused(client, 'chat:send', { ...to, text: 'x', clientId: 'c2' }, 'forbidden');
    await refused(client, 'chat:create', { type: 'group', name: 'Trap', members: [other] }, 'forbidden', 'members');
    await client.ask('chat:typing', { roomId, typing: true }); // whatever it is told
  }
  assert.equal((await asked(ann, 'chat:send', { roomId, text: 'hello', clientId: 'c1' })).seq, 1, 'what was sent was sent');
  await refused(ann, 'chat:edit', { roomId, seq: 1, text: 'insult' }, 'forbidden');
  // In a group both are in nothing changes; and what comes after typing proves that there was none.
  await asked(ann, 'chat:typing', { roomId: trip.id, typing: true });
  await say(ann, trip.id, 'to all');
  await ben.waitFor('chat:message', (message) => message.roomId === trip.id);
  await ben.waitFor('chat:typing', (data) => data.roomId === trip.id);
  await asked(ben, 'chat:typing', { roomId: trip.id, typing: true });
  await ann.waitFor('chat:typing', (data) => data.roomId === trip.id && data.userId === 'ben-9');
  for (const client of [ann, ben]) {
    assert.deepEqual(client.payloads('chat:typing').filter((data) => data.roomId === roomId), []);
    assert.deepEqual(shown(client, roomId), []);
  }
  await asked(ben, 'chat:unblock', { userId: 'ann-9' });
  const { seq } = await asked(ann, 'chat:send', { recipientId: 'ben-9', text: 'again', clientId: 'c3' });
  assert.equal(seq, 2, 'no number was spent');
  await ben.waitFor('chat:message', (message) => message.roomId === roomId && message.seq === 2);
});

stack.test('a report is kept with its message and leaves one audit record', async () => {
  const { roomId, clients } = await group(stack, 'ann-10', 'ben-10');
  const [ann, ben] = clients;
  const published = async () => {
    const counts = stack.status().services.filter(({ name }) => name.startsWith('chat')).map(({ admin }) => stack.metric(admin, 'ww_audit_published_total'));
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  };
  const waiting = async () => Number((await stack.psql('chat', '-c', 'SELECT count(*) FROM chat.audit_outbox'))[0]);
  const settled = async () => {
    await until('every record is out', async () => (await waiting()) === 0);
    return published();
  };
  await say(ann, roomId, 'send me your <seed>', 'asks');
  const before = await settled();
  await asked(ben, 'chat:report', { roomId, seq: 1, reason: 'asks for the seed' });
  await until('its record', async () => (await settled()) > before);
  await asked(ben, 'chat:report', { roomId, seq: 1, reason: 'asks for the seed' });
  await refused(ann, 'chat:report', { roomId, seq: 1, reason: 'x' }, 'invalid', 'seq');
  await refused(ben, 'chat:report', { roomId, seq: 2, reason: 'x' }, 'not_found');
  await refused(ben, 'chat:report', { roomId, seq: 1, reason: '' }, 'invalid', 'reason');
  await asked(ann, 'chat:delete', { roomId, seq: 1 });
  await until('the record of the deletion', async () => (await settled()) > before + 1);
  assert.equal(await settled(), before + 2, 'again is no other report');
  const rows = `SELECT reporter_id, sender_id, reason, text FROM chat.reports WHERE room_id = '${roomId}'`;
  assert.deepEqual(await stack.psql('chat', '-c', rows), ['ben-10|ann-10|asks for the seed|send me your <seed>'], 'also once it was deleted');
});

/* ---- hostile texts ---- */

const HARMLESS = [
  ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
  [`"><img src=x onerror='alert(1)'>`, '&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;'],
  ['&lt;b&gt;', '&amp;lt;b&amp;gt;'],
  ["'; DROP TABLE chat.messages; --", '&#39;; DROP TABLE chat.messages; --'],
  ['%s%n%x {{7*7}} ${7*7} \\u0000 \\', '%s%n%x {{7*7}} ${7*7} \\u0000 \\'],
  ['two\nlines\tand a tab', 'two\nlines\tand a tab'],
  ['שלום مرحبا 你好 नमस्ते', 'שלום مرحبا 你好 नमस्ते'],
  ['👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇦 é é', '👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇦 é é'],
  ['\u{10FFFD}\uFFFD', '\u{10FFFD}\uFFFD'],
  ['a\u0000b', 'a\uFFFDb'],
  ['ü'.repeat(4000), 'ü'.repeat(4000)],
  ['😀'.repeat(4000), '😀'.repeat(4000)],
  ['<'.repeat(4000), '&lt;'.repeat(4000)],
];

const REFUSED = [
  ['empty', ''],
  ['blanks alone', ' \n\t\u00A0\u3000'],
  ['nothing that shows', '\u200B\u200D\uFEFF\u2060'],
  ['4,001 code points', 'x'.repeat(4001)],
  ['4,001 code points beyond the first plane', '😀'.repeat(4001)],
  ['escape', '\u001B[31mred'],
  ['backspace', 'pay 10\b\b90'],
  ['carriage return', 'real\rfake'],
  ['DEL', 'a\u007Fb'],
  ['C1', 'a\u0085b'],
  ['right-to-left override', 'invoice\u202Efdp.exe'],
  ['left-to-right embedding', 'a\u202Ab'],
  ['pop of directions', 'a\u202Cb'],
  ['an isolate', 'a\u2066b\u2069'],
];

for (const [encoding, options] of [
  ['JSON', {}],
  ['msgpack', { parser }],
]) {
  stack.test(`hostile texts come out harmless and readable, or are refused: ${encoding}`, async () => {
    const names = [`ann-${encoding}`, `ben-${encoding}`];
    const ann = await stack.connect(names[0], { at: 0, ...options });
    const ben = await stack.connect(names[1], { at: 1, ...options });
    const { room } = await asked(ann, 'chat:create', { type: 'group', name: '<b>"Trip"</b>', members: [names[1]] });
    assert.equal(room.name, '&lt;b&gt;&quot;Trip&quot;&lt;/b&gt;');
    for (const [what, text] of REFUSED) {
      await refused(ann, 'chat:send', { roomId: room.id, text, clientId: 'bad' }, 'invalid', 'text').catch((error) => assert.fail(`${what}: ${error}`));
      await refused(ann, 'chat:rename', { roomId: room.id, name: text }, 'invalid', 'name').catch((error) => assert.fail(`${what}: ${error}`));
    }
    for (const [i, [text]] of HARMLESS.entries()) await say(ann, room.id, text, `c${i}`);
    await ben.waitFor('chat:message', (message) => message.seq === HARMLESS.length);
    assert.deepEqual(shown(ben, room.id).map((message) => message.text), HARMLESS.map(([, out]) => out));
    const seen = [];
    for (let after = 0; after < HARMLESS.length; after = seen.at(-1).seq) {
      seen.push(...(await asked(ben, 'chat:history', { roomId: room.id, ...(after && { after }) })).messages);
    }
    assert.deepEqual(seen.map((message) => message.text), HARMLESS.map(([, out]) => out), 'in history too');
    await refused(ann, 'chat:edit', { roomId: room.id, seq: 1, text: 'a\u202Eb' }, 'invalid', 'text');
    const { message } = await asked(ann, 'chat:edit', { roomId: room.id, seq: 1, text: '<i>' });
    assert.equal(message.text, '&lt;i&gt;');
    assert.deepEqual([ann.disconnects, ben.disconnects], [[], []]);
  });
}

stack.test('an emoji that was cut in two costs nobody the connection', async () => {
  const { roomId, clients } = await group(stack, 'ann-13', 'ben-13');
  const cut = '😀'.slice(0, 1); // as a text field with a maximum length leaves it
  const rest = '😀'.slice(1);
  await say(clients[0], roomId, `smile ${cut}`, `key ${cut}`);
  assert.equal((await say(clients[0], roomId, `smile ${cut}`, `key ${cut}`)).seq, 1, 'a retry finds it');
  await say(clients[0], roomId, `${rest}${cut}${rest}${rest}`, 'c2');
  await clients[1].waitFor('chat:message', (message) => message.seq === 2);
  assert.deepEqual(shown(clients[1], roomId).map((message) => message.text), ['smile \uFFFD', '\uFFFD😀\uFFFD']);
  assert.deepEqual([clients[0].disconnects, clients[1].disconnects], [[], []]);
});

stack.test('bytes that are no UTF-8 end the connection they came by, and nothing is stored', async () => {
  const { roomId, clients } = await group(stack, 'ann-11', 'ben-11');
  for (const [at, bytes] of [[0xc3, 0x28], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xff]].entries()) {
    const raw = await RawSocket.upgrade(stack.url(at % 2));
    raw.sendText(`40${JSON.stringify({ token: stack.sign('ann-11') })}`);
    await raw.waitText((text) => text.startsWith('40'));
    const [head, tail] = JSON.stringify(['chat:send', { roomId, text: '|', clientId: `c${at}` }]).split('|');
    raw.send(frame(TEXT, Buffer.concat([Buffer.from(`421${head}`), Buffer.from(bytes), Buffer.from(tail)])));
    await raw.ended();
    assert.equal(raw.closeCode, 1007);
  }
  assert.equal((await say(clients[0], roomId, 'fine')).seq, 1);
  await clients[1].waitFor('chat:message', (message) => message.seq === 1);
});

// Sends again what was refused, when it is told to, until it is taken; returns the numbers by what was said.
async function insist(client, roomId, refusedTexts) {
  const taken = new Map();
  for (const text of refusedTexts) {
    for (;;) {
      const reply = await client.ask('chat:send', { roomId, text, clientId: text });
      if (reply.ok) {
        taken.set(text, reply.seq);
        break;
      }
      assert.equal(reply.error.code, 'rate_limited');
      await new Promise((resolve) => setTimeout(resolve, reply.error.retryAfterMs));
    }
  }
  return taken;
}

stack.test('of a flood a part is refused, all of which may come later; others talk on', async () => {
  const { roomId, clients } = await group(stack, 'ann-12', 'ben-12');
  const [ann, ben] = clients;
  const { roomId: quiet } = await asked(ben, 'chat:send', { recipientId: 'cat-12', text: 'before', clientId: 'c1' });
  const texts = sequence(1.5 * HISTORY).map((n) => `flood ${n}`);
  const flood = texts.map(async (text) => [text, await ann.ask('chat:send', { roomId, text, clientId: text })]);
  for (const n of sequence(5)) assert.equal((await say(ben, quiet, `meanwhile ${n}`)).seq, n + 1);
  const replies = await Promise.all(flood);
  const taken = new Map(replies.filter(([, reply]) => reply.ok).map(([text, reply]) => [text, reply.seq]));
  const refusals = replies.filter(([, reply]) => !reply.ok);
  assert.ok(taken.size > 0 && refusals.length > 0, `${taken.size} were taken`);
  assert.deepEqual(new Set(refusals.map(([, reply]) => reply.error.code)), new Set(['rate_limited']));
  for (const [text, seq] of await insist(ann, roomId, refusals.map(([text]) => text))) taken.set(text, seq);
  await ben.waitFor('chat:message', (message) => message.roomId === roomId && message.seq === texts.length);
  const inOrder = [...taken].sort((one, other) => one[1] - other[1]);
  assert.deepEqual(shown(ben, roomId).map(({ text, seq }) => [text, seq]), inOrder, 'what was acknowledged, once and under its number');
  assert.deepEqual([...taken.keys()].sort(), [...texts].sort());
  const { messages } = await asked(ben, 'chat:history', { roomId, limit: HISTORY });
  assert.deepEqual(messages, shown(ben, roomId).slice(-HISTORY));
  assert.deepEqual([ann.disconnects, ben.disconnects], [[], []]);
  await stack.assertNoDeadLetters();
});

/* ---- open rooms ---- */

stack.test('a view that ww-chat does not know of is closed by the check, and no other', async () => {
  const { room, clients } = await group(stack, 'leo', 'mia', 'noa');
  for (const client of clients) await asked(client, 'subscribe', { channel: `room:${room.id}` });
  const before = await sumOverEdges(stack, 'ww_edge_room_views');
  await stack.psql('chat', '-c', `DELETE FROM chat.members WHERE room_id = '${room.id}' AND user_id = 'mia'`);
  await until('one view less', async () => (await sumOverEdges(stack, 'ww_edge_room_views')) === before - 1);
  await refused(clients[1], 'subscribe', { channel: `room:${room.id}` }, 'forbidden');
  await asked(clients[2], 'chat:typing', { roomId: room.id, typing: true });
  await clients[0].waitFor('chat:typing', (data) => data.userId === 'noa' && data.typing);
  await refused(clients[1], 'chat:history', { roomId: room.id }, 'forbidden');
  assert.deepEqual(clients[1].payloads('chat:typing'), []);
});
