// Chat by @walletwire/client against a whole system.

import assert from 'node:assert/strict';
import { useStack } from '../e2e/harness.mjs';
import { Network, online, sdkClient, until } from './wire.mjs';

const MESSAGES = 100;
const CUTS = 50;

const stack = useStack({ edges: 2 });

async function connected(user, url) {
  const client = sdkClient(stack, { url });
  client.connect(() => stack.token(user));
  await online(client);
  return client;
}

stack.test('100 messages sent through 50 cuts of both networks are shown once and in order', async () => {
  let connections = 0;
  const network = await Network.open(() => stack.url(connections++ % 2));
  const [bob, bea] = [await connected('bob', network.url), await connected('bea', network.url)];
  const shown = [];
  bea.on('chatMessage', ({ text }) => shown.push(text));
  const texts = Array.from({ length: MESSAGES }, (_, i) => `<b>${i}</b> & "${i}"`);
  const sent = Promise.all(texts.map((text) => bob.sendChatMessage(text, 'bea')));
  for (let cut = 0; cut < CUTS; cut++) {
    await until(bea, `messages before cut ${cut}`, () => shown.length >= (cut * MESSAGES) / CUTS, 60_000);
    await Promise.all([online(bob), online(bea)]);
    network.cut();
    await until(bea, 'the cut is noticed', () => bea.connection.get().status !== 'online');
  }
  const answers = await sent;
  await until(bea, 'all messages', () => shown.length >= MESSAGES);
  assert.deepEqual(
    answers.map(({ seq }) => seq),
    texts.map((_, i) => i + 1),
  );
  assert.deepEqual(shown, texts);
  const { messages } = await bea.history({ recipientId: 'bob' }, { limit: MESSAGES });
  assert.deepEqual(
    messages.map(({ text }) => text),
    texts,
  );
  network.close();
});

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
