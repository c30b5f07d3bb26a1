import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { type ChatMessage } from '../src/generated/events.js';
import { Room } from '../src/room.js';

const message = (seq: number, text = `${seq}`, editedAt?: string): ChatMessage => ({
  id: `m${seq}`,
  roomId: 'r',
  seq,
  senderId: 'bob',
  text,
  timestamp: '',
  clientId: '',
  deleted: false,
  ...(editedAt !== undefined && { editedAt }),
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('messages are in the order of their numbers, once each, in their last edition', () => {
  const room = new Room();
  room.add([message(2), message(3)]);
  room.add([message(1), message(3), message(2, 'edited', 'later')]);
  expect(room.view.get().messages.map(({ text }) => text)).toEqual(['1', 'edited', '3']);
  expect(room.has(message(3))).toBe(true);
  expect(room.has(message(3, 'other', 'now'))).toBe(false);
});

test('typing ends by a message, by a word, and by itself', () => {
  const room = new Room();
  const typing = (userId: string, now: boolean): void => room.typing({ roomId: 'r', userId, typing: now });
  for (const user of ['bob', 'eve', 'mia']) typing(user, true);
  room.add([message(1)]);
  typing('eve', false);
  expect(room.view.get().typing).toEqual(['mia']);
  vi.advanceTimersByTime(6000);
  expect(room.view.get().typing).toEqual([]);
});

test('it is ready when what was begun last has ended', () => {
  const room = new Room();
  const [first, second] = [room.load(), room.load()];
  first('ready');
  expect(room.view.get().status).toBe('loading');
  second('failed');
  expect(room.view.get().status).toBe('failed');
});

test('read markers never go back', () => {
  const room = new Room();
  for (const seq of [3, 5, 4]) room.read({ roomId: 'r', userId: 'bob', seq });
  expect(room.view.get().readMarkers.get('bob')).toBe(5);
});

test('an older edition never takes the place of a later one, and what was deleted stays so', () => {
  const room = new Room();
  room.add([message(1, 'second', '2025-01-02'), { ...message(2), deleted: true }]);
  expect(room.has(message(1, 'first', '2025-01-01'))).toBe(true);
  room.add([message(1, 'first', '2025-01-01'), message(2, 'back', '2025-01-03')]);
  expect(room.view.get().messages).toMatchObject([{ text: 'second' }, { deleted: true }]);
});
