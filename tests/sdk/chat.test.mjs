// Chat by @walletwire/client against a whole system.

import assert from 'node:assert/strict';
import { useStack } from '../e2e/harness.mjs';
import { online, sdkClient, until } from './wire.mjs';

const stack = useStack({ edges: 2 });

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
  await dan.chat.read(roomId, seq);
  const { rooms } = await dan.rooms();
  assert.deepEqual([rooms[0].id, rooms[0].unread, rooms[0].lastMessage.text], [roomId, 0, 'Hello!']);
});
