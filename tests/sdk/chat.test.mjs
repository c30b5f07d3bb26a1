// Chat by @walletwire/client against a whole system.

import assert from 'node:assert/strict';
import { useStack } from '../e2e/harness.mjs';
import { Network, online, sdkClient, until } from './wire.mjs';

// Who comes back and missed anything is not recovered.
const stack = useStack({ edges: 2, env: { WW_RECOVERY_MAX: '0' } });

async function connected(user, url) {
  const client = sdkClient(stack, { url });
  client.connect(() => stack.token(user));
  await online(client);
  return client;
}

stack.test('a room that is open shows who types and who has read', async () => {
  const [cat, dan] = [await connected('cat', stack.url(0)), await connected('dan', stack.url(1))];
  const { roomId, seq } = await cat.sendChatMessage('Hello!', 'dan');
  await cat.openRoom(roomId);
  await dan.openRoom(roomId);
  await dan.typing(roomId);
  await until(cat, 'typing', () => cat.room(roomId).get().typing.includes('dan'));
  await dan.typing(roomId, false);
  await until(cat, 'no typing', () => cat.room(roomId).get().typing.length === 0);
  assert.equal(cat.room(roomId).get().readMarkers.get('dan'), undefined);
  await dan.chat.read(roomId, seq);
  await until(cat, 'the marker', () => cat.room(roomId).get().readMarkers.get('dan') === seq);
  const { rooms } = await dan.rooms();
  assert.deepEqual([rooms[0].id, rooms[0].unread, rooms[0].lastMessage.text], [roomId, 0, 'Hello!']);
});

stack.test('what was written, edited, deleted and read while a connection was lost for good is told once and shown', async () => {
  const network = await Network.open(() => stack.url(0));
  const [eve, fay] = [await connected('eve', network.url), await connected('fay', stack.url(1))];
  const { roomId } = await eve.sendChatMessage('one', 'fay');
  for (const text of ['two', 'three']) await fay.sendRoomMessage(text, roomId);
  await eve.openRoom(roomId);
  await until(eve, 'all three', () => eve.room(roomId).get().messages.length === 3);
  const told = [];
  eve.on('chatMessage', ({ seq, text, deleted }) => told.push(deleted ? `${seq} deleted` : `${seq} ${text}`));
  network.server.close();
  network.cut();
  await until(eve, 'lost', () => eve.connection.get().status !== 'online');
  await fay.chat.edit(roomId, 2, 'two, edited');
  await fay.chat.delete(roomId, 3);
  await fay.sendRoomMessage('four', roomId);
  await fay.chat.read(roomId, 4);
  const other = await connected('gus', stack.url(1));
  const { roomId: newRoom } = await other.sendChatMessage('Is this new?', 'eve');
  const resync = new Promise((resolve) => eve.on('resync', resolve));
  await new Promise((resolve) => network.server.listen(Number(new URL(network.url).port), '127.0.0.1', resolve));
  assert.deepEqual(await resync, { missed: 4 });
  const sorted = [...told].sort();
  assert.deepEqual(sorted, ['1 Is this new?', '2 two, edited', '3 deleted', '4 four']);
  assert.deepEqual(
    eve.room(roomId).get().messages.map(({ text }) => text),
    ['one', 'two, edited', '', 'four'],
  );
  assert.equal(eve.room(roomId).get().readMarkers.get('fay'), 4);
  assert.equal(eve.room(newRoom).get().messages.length, 1);
  await fay.sendRoomMessage('five', roomId);
  await until(eve, 'what follows', () => told.length >= 5);
  assert.deepEqual(told.slice(4), ['5 five']);
  network.close();
});

stack.test('a direct room is made once, whichever side asks for it', async () => {
  const [hal, ida] = [await connected('hal', stack.url(0)), await connected('ida', stack.url(1))];
  const made = await hal.chat.create({ type: 'direct', members: ['ida'] });
  const found = await ida.chat.create({ type: 'direct', members: ['hal'] });
  assert.equal(found.id, made.id);
});
