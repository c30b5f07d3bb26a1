import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { WalletwireClient } from '../src/client.js';
import { RealtimeError } from '../src/errors.js';
import { FakeLink } from './fake-link.js';

vi.mock('../src/socket-link.js', async () => ({ SocketLink: (await import('./fake-link.js')).FakeLink }));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settled = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const token = `x.${Buffer.from(JSON.stringify({ sub: 'ann' })).toString('base64url')}.y`;
const notification = (seq: number) => ({ id: `n${seq}`, seq, createdAt: `${seq}` });
const kyc = (seq: number) => ({ status: `${seq}`, notification: notification(seq) });
const listed = (seq: number) => ({
  event: 'kyc:update',
  data: { status: `${seq}` },
  notification: notification(seq),
  state: 'unseen',
});
const message = (roomId: string, seq: number) => ({
  id: `${roomId}${seq}`,
  roomId,
  seq,
  senderId: 'bob',
  text: `${roomId}${seq}`,
});

/** A client that has seen item 1 and a message of the rooms `a` and `b`, and what it has told since. */
async function seen() {
  const client = new WalletwireClient({ backoff: { baseMs: 100, maxMs: 1000 } });
  const told: string[] = [];
  client.connect(token);
  const link = FakeLink.newest;
  link.online();
  link.send('kyc:update', kyc(1), 't.e.1.2');
  for (const roomId of ['a', 'b']) link.send('chat:message', message(roomId, 1));
  client.on('kycUpdate', ({ status }) => told.push(status));
  client.on('chatMessage', ({ text }) => told.push(text));
  client.on('resync', ({ missed }) => told.push(`resync ${missed}`));
  await settled();
  return { client, link, told };
}

const empty = (event: string): object | undefined =>
  event === 'notifications:list' ? { items: [], next: '' } : event === 'chat:history' ? { messages: [] } : undefined;

test('a room that may no longer be read is left out, and the rest is told', async () => {
  const { client, link, told } = await seen();
  link.answer = (event, { roomId, after }) => {
    if (event !== 'chat:history') return empty(event);
    if (roomId === 'a') return new RealtimeError('forbidden', 'no member');
    return { messages: after === 1 ? [message('b', 2)] : [] };
  };
  link.online();
  link.send('kyc:update', kyc(2), 't.e.2.0');
  await settled();
  expect(told).toEqual(['b2', '2', 'resync 1']);
  expect(client.room('a').get().messages).toEqual([]);
  link.online();
  await settled();
  expect(link.payloads('chat:history').filter(({ roomId }) => roomId === 'a')).toHaveLength(1);
});

test('a room that was left is shown and asked for no more, one that another member left is', async () => {
  const { client, link } = await seen();
  link.answer = empty;
  link.send('chat:room', { roomId: 'a', change: 'removed', userId: 'ann' });
  link.send('chat:room', { roomId: 'b', change: 'left', userId: 'bob' });
  expect(client.room('a').get().messages).toEqual([]);
  link.online();
  await settled();
  expect(link.payloads('chat:history')).toMatchObject([{ roomId: 'b', after: 1 }]);
});

test('an attempt goes on where the one before it failed, when the server says', async () => {
  const { link, told } = await seen();
  let limited = true;
  link.answer = (event, { roomId, after }) => {
    if (event !== 'chat:history') return empty(event);
    if (roomId === 'a') return { messages: after === 1 ? [message('a', 2)] : [] };
    if (limited) return new RealtimeError('rate_limited', 'slower', { retryAfterMs: 3000 });
    return { messages: [] };
  };
  link.online();
  await settled(2999);
  expect(told).toEqual([]);
  limited = false;
  await settled(1);
  expect(told).toEqual(['a2', 'resync 1']);
  expect(link.payloads('chat:history').filter(({ roomId }) => roomId === 'a')).toMatchObject([
    { after: 1 },
    { after: 2 },
    { after: 2 },
  ]);
});

test('an inbox that refuses for good keeps nothing back', async () => {
  const { link, told } = await seen();
  link.answer = (event) => (event === 'notifications:list' ? new RealtimeError('internal', 'a bug') : empty(event));
  link.online();
  link.send('kyc:update', kyc(2), 't.e.2.0');
  await settled();
  expect(told).toEqual(['2', 'resync 0']);
});

test('what came live meanwhile is told in order and once, also below the newest of the list', async () => {
  const { link, told } = await seen();
  link.answer = (event) => (event === 'chat:history' ? { messages: [] } : undefined);
  link.online();
  link.send('chat:message', message('c', 1), 't.e.3.0');
  link.send('kyc:update', kyc(4), 't.e.4.0');
  link.send('kyc:update', kyc(6), 't.e.6.0');
  link.asked.at(-1)?.reply({ items: [listed(5), listed(4), listed(2), listed(1)], next: '' });
  await settled();
  expect(told).toEqual(['2', 'c1', '4', '5', '6', 'resync 3']);
});

test('a second connection that was not recovered asks again for what the first could not know', async () => {
  const { link, told } = await seen();
  link.answer = (event) => (event === 'chat:history' ? { messages: [] } : undefined);
  link.online();
  const first = link.asked.at(-1);
  link.lose();
  link.online();
  first?.reply({ items: [listed(2), listed(1)], next: '' });
  await settled();
  expect(told).toEqual([]);
  link.asked.at(-1)?.reply({ items: [listed(3), listed(2), listed(1)], next: '' });
  await settled();
  expect(told).toEqual(['2', '3', 'resync 2']);
});

test('what was read elsewhere meanwhile, and announcements from before, are not told', async () => {
  const { client, link, told } = await seen();
  client.on('announcement', ({ title }) => told.push(title));
  const announcement = (announcementSeq: number) => ({
    event: 'announcement',
    data: { announcementSeq, title: `announcement ${announcementSeq}` },
    notification: { id: `a${announcementSeq}`, seq: 0, createdAt: '' },
    state: 'unseen',
  });
  link.answer = (event) =>
    event === 'notifications:list'
      ? { items: [{ ...listed(3), state: 'read' }, listed(2), announcement(3), announcement(2), listed(1)], next: '' }
      : empty(event);
  link.online();
  await settled();
  expect(told).toEqual(['announcement 3', '2', 'resync 3']);
  expect(client.inbox.get().items.map(({ notification, state }) => `${notification.id} ${state}`)).toEqual([
    'n3 read',
    'n2 unseen',
    'a3 unseen',
    'n1 unseen',
  ]);
});

test('the name of a room is told as it was written', async () => {
  const { client, link } = await seen();
  const names: unknown[] = [];
  client.on('chatRoom', ({ room }) => names.push(room?.name));
  link.send('chat:room', { roomId: 'a', change: 'renamed', userId: 'bob', room: { id: 'a', name: 'Tom &amp; Ann' } });
  expect(names).toEqual(['Tom & Ann']);
});
