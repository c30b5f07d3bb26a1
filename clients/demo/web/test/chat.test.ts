import { type ChatMessage, type RoomEntry } from '@walletwire/client';
import { expect, test } from 'vitest';

import { conversationsOf, unreadIn, withMessage, withRead } from '../src/wallet/chat/conversations';
import { reduceWaiting, type Waiting, type WaitingAction, waitingIn } from '../src/wallet/chat/waiting';

const message = (seq: number, senderId: string, clientId = ''): ChatMessage => ({
  id: `m${seq}`,
  roomId: 'r',
  seq,
  senderId,
  text: `text ${seq}`,
  timestamp: '2026-03-01T10:00:00.000Z',
  clientId,
  deleted: false,
});

const room = (id: string, type: 'direct' | 'group', members: string[]): RoomEntry => ({
  id,
  type,
  members,
  name: '',
  role: 'member',
  newestSeq: 4,
  readSeq: 2,
  unread: 2,
});

const all = conversationsOf([room('r', 'direct', ['me', 'bob']), room('g', 'group', ['me', 'bob', 'eve'])], 'me');

test('direct rooms are known by the friend, groups are left out', () => {
  expect([...all.keys()]).toEqual(['bob']);
  expect(unreadIn(all)).toBe(2);
});

test('a message of the friend waits to be read, one of mine says that all was', () => {
  const next = withMessage(all, message(5, 'bob'), 'me');
  expect(next?.get('bob')).toMatchObject({ unread: 3, newestSeq: 5, last: { seq: 5 } });
  expect(next && withMessage(next, message(6, 'me'), 'me')?.get('bob')).toMatchObject({ unread: 0, newestSeq: 6 });
});

test('an edit is no new message, and of an older one no last one', () => {
  expect(withMessage(all, message(4, 'bob'), 'me')?.get('bob')).toMatchObject({ unread: 2, last: { seq: 4 } });
  expect(withMessage(all, message(3, 'bob'), 'me')).toBe(all);
});

test('a message of a room nobody knows of asks for the list', () => {
  expect(withMessage(all, { ...message(1, 'eve'), roomId: 'new' }, 'me')).toBeUndefined();
});

test('a marker takes away what it has passed, and never adds', () => {
  expect(unreadIn(withRead(all, 'r', 3))).toBe(1);
  expect(unreadIn(withRead(all, 'r', 9))).toBe(0);
  expect(withRead(all, 'r', 1)).toBe(all);
  expect(withRead(all, 'other', 9)).toBe(all);
});

const waiting = (...actions: WaitingAction[]): readonly Waiting[] => actions.reduce(reduceWaiting, []);
const written = (clientId: string): WaitingAction => ({ type: 'written', clientId, roomId: 'r', text: clientId });

test('what was written waits in order until it has arrived', () => {
  const list = waiting(written('a'), written('b'), { type: 'arrived', clientId: 'a' });
  expect(list).toEqual([{ clientId: 'b', roomId: 'r', text: 'b', status: 'waiting' }]);
  expect(reduceWaiting(list, { type: 'arrived', clientId: 'unknown' })).toBe(list);
});

test('what failed can be tried again, under its id, or dropped', () => {
  const failed = waiting(written('a'), { type: 'failed', clientId: 'a', error: 'no' });
  expect(failed).toMatchObject([{ status: 'failed', error: 'no' }]);
  expect(reduceWaiting(failed, written('a'))).toMatchObject([{ clientId: 'a', status: 'waiting' }]);
  expect(reduceWaiting(failed, { type: 'dropped', clientId: 'a' })).toEqual([]);
});

test('a message is not shown twice while its answer is under way', () => {
  const list = waiting(written('a'), written('b'));
  expect(waitingIn(list, 'r', [message(1, 'me', 'a')]).map(({ clientId }) => clientId)).toEqual(['b']);
  expect(waitingIn(list, 'other', [])).toEqual([]);
});
