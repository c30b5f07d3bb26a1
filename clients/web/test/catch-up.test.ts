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
interface Said {
  seq: number;
  text: string;
  timestamp: string;
  editedAt?: string;
  deleted?: boolean;
}

const said = (roomId: string, seq: number, timestamp = `10:0${seq}`): Said => ({
  seq,
  text: `${roomId}${seq}`,
  timestamp,
});
const message = (roomId: string, one: Said) => ({
  id: `${roomId}${one.seq}`,
  roomId,
  senderId: 'bob',
  deleted: false,
  ...one,
});

/** What a server says that has nothing in the inbox, and these rooms; it has pages of two messages. */
const serverOf =
  (rooms: Record<string, Said[]>) =>
  (event: string, { roomId, before }: Record<string, unknown>): object | undefined => {
    if (event === 'notifications:list') return { items: [], next: '' };
    if (event === 'chat:rooms') {
      const entries = Object.entries(rooms).map(([id, all]) => ({
        id,
        name: '',
        newestSeq: all.at(-1)?.seq ?? 0,
        lastMessage: message(id, all.at(-1) ?? said(id, 0)),
      }));
      return { rooms: entries, next: '' };
    }
    if (event !== 'chat:history') return undefined;
    const all = rooms[String(roomId)];
    if (!all) return new RealtimeError('forbidden', 'no member');
    const page = all.filter(({ seq }) => seq < Number(before ?? Infinity)).slice(-2);
    return {
      roomId,
      name: '',
      messages: page.map((one) => message(String(roomId), one)),
      oldestSeq: all[0]?.seq ?? 0,
      newestSeq: all.at(-1)?.seq ?? 0,
      readMarkers: [{ roomId, userId: 'bob', seq: all.at(-1)?.seq ?? 0 }],
    };
  };

/** A client that has seen item 1 and a message of the rooms `a` and `b`, and what it has told since. */
async function seen() {
  const client = new WalletwireClient({ backoff: { baseMs: 100, maxMs: 1000 } });
  const told: string[] = [];
  client.connect(token);
  const link = FakeLink.newest;
  link.online();
  link.send('kyc:update', kyc(1), 't.e.1.2');
  for (const roomId of ['a', 'b']) link.send('chat:message', message(roomId, said(roomId, 1)));
  client.on('kycUpdate', ({ status }) => told.push(status));
  client.on('chatMessage', ({ text, deleted }) => told.push(deleted ? 'deleted' : text));
  client.on('resync', ({ missed }) => told.push(`resync ${missed}`));
  await settled();
  return { client, link, told };
}

const quiet = serverOf({ a: [said('a', 1)], b: [said('b', 1)] });

test('a room that may no longer be read is left out, and the rest is told', async () => {
  const { client, link, told } = await seen();
  link.answer = serverOf({ b: [said('b', 1), said('b', 2)] });
  link.online();
  link.send('kyc:update', kyc(2), 't.e.2.0');
  await settled();
  expect(told).toEqual(['b2', '2', 'resync 1']);
  expect(client.room('a').get().messages).toEqual([]);
  link.online();
  await settled();
  expect(link.payloads('chat:history').filter(({ roomId }) => roomId === 'a')).toHaveLength(1);
});

test('a room that is not listed any more is shown no more, though nothing was written elsewhere', async () => {
  const { client, link, told } = await seen();
  link.answer = serverOf({ b: [said('b', 1)] });
  link.online();
  await settled();
  expect([told, client.room('a').get().messages]).toEqual([['resync 0'], []]);
});

test('of a room that was open and never read nothing is news', async () => {
  const client = new WalletwireClient();
  client.connect(token);
  const link = FakeLink.newest;
  link.online();
  const told: string[] = [];
  client.on('chatMessage', ({ text }) => told.push(text));
  const opened = client.openRoom('a').catch(() => undefined);
  link.asked.at(-1)?.fail('offline');
  await opened;
  const answer = serverOf({ a: [said('a', 1)] });
  link.answer = (event, payload) => (event === 'subscribe' ? {} : answer(event, payload));
  link.online();
  await settled();
  expect([told, client.room('a').get().messages]).toMatchObject([[], [{ text: 'a1' }]]);
});

test('a room that was left is shown and asked for no more, one that another member left is', async () => {
  const { client, link, told } = await seen();
  link.send('chat:room', { roomId: 'a', change: 'removed', userId: 'ann' });
  link.send('chat:room', { roomId: 'b', change: 'left', userId: 'bob' });
  expect(client.room('a').get().messages).toEqual([]);
  link.answer = serverOf({ b: [said('b', 1), said('b', 2)] });
  link.online();
  await settled();
  expect(link.payloads('chat:history')).toMatchObject([{ roomId: 'b' }]);
  expect(told).toEqual(['b2', 'resync 1']);
});

test('all that was missed of a room is told, from as many pages as it takes, and nothing from before', async () => {
  const { client, link, told } = await seen();
  const all = [1, 2, 3, 4, 5, 6].map((seq) => said('a', seq));
  link.answer = serverOf({ a: all, b: [said('b', 1)] });
  link.online();
  await settled();
  expect(told).toEqual(['a2', 'a3', 'a4', 'a5', 'a6', 'resync 5']);
  expect(link.payloads('chat:history')).toEqual([
    { roomId: 'a', limit: 100 },
    { roomId: 'a', limit: 100, before: 5 },
    { roomId: 'a', limit: 100, before: 3 },
  ]);
  expect(client.room('a').get().readMarkers.get('bob')).toBe(6);
});

test('of a room that was not known what was sent since is told, and not what was there before', async () => {
  const { link, told } = await seen();
  const known = { a: [said('a', 1)], b: [said('b', 1)] };
  link.answer = serverOf({
    ...known,
    old: [said('old', 7, '09:00')],
    busy: [said('busy', 1, '09:30'), said('busy', 2)],
  });
  link.online();
  await settled();
  expect(told).toEqual(['busy2', 'resync 1']);
  expect(link.payloads('chat:history')).toMatchObject([{ roomId: 'busy' }]);
});

test('a room that was listed is known as far as the list said', async () => {
  const { client, link, told } = await seen();
  link.answer = serverOf({ c: [said('c', 8), said('c', 9)] });
  await client.rooms();
  link.answer = serverOf({ a: [said('a', 1)], b: [said('b', 1)], c: [8, 9, 10].map((seq) => said('c', seq)) });
  link.online();
  await settled();
  expect(told).toEqual(['c10', 'resync 1']);
});

test('edits and deletions that were missed in an open room are told once, and shown', async () => {
  const { client, link, told } = await seen();
  const edited = { ...said('a', 1), text: 'edited', editedAt: '11:00' };
  link.answer = quiet;
  const opened = client.openRoom('a');
  link.asked.at(-1)?.reply({});
  await opened;
  for (const one of [edited, { ...said('a', 1), text: '', deleted: true }]) {
    const answer = serverOf({ a: [one], b: [said('b', 1)] });
    link.answer = (event, payload) => (event === 'subscribe' ? {} : answer(event, payload));
    link.online();
    await settled();
  }
  expect(told).toEqual(['edited', 'resync 1', 'deleted', 'resync 1']);
  expect(client.room('a').get().messages).toMatchObject([{ deleted: true }]);
});

test('who does not chat is not asked for rooms', async () => {
  const client = new WalletwireClient();
  client.connect(token);
  const link = FakeLink.newest;
  link.answer = quiet;
  link.online();
  link.online();
  await settled();
  expect(link.asked.map(({ event }) => event)).toEqual(['notifications:list']);
});

test('an attempt goes on where the one before it failed, when the server says', async () => {
  const { link, told } = await seen();
  let limited = true;
  const answer = serverOf({ a: [said('a', 1), said('a', 2)], b: [said('b', 1), said('b', 2)] });
  link.answer = (event, payload) =>
    limited && event === 'chat:history' && payload.roomId === 'b'
      ? new RealtimeError('rate_limited', 'slower', { retryAfterMs: 3000 })
      : answer(event, payload);
  link.online();
  await settled(2999);
  expect(told).toEqual([]);
  limited = false;
  await settled(1);
  expect(told).toEqual(['a2', 'b2', 'resync 2']);
  expect(link.payloads('chat:history').map(({ roomId }) => roomId)).toEqual(['a', 'b', 'b']);
});

test('another connection that was not recovered asks for rooms again', async () => {
  const { link, told } = await seen();
  const answer = serverOf({ a: [said('a', 1), said('a', 2)], b: [said('b', 1), said('b', 2)] });
  link.answer = (event, payload) =>
    event === 'chat:history' && payload.roomId === 'b' ? undefined : answer(event, payload);
  link.online();
  await settled();
  const pending = link.asked.at(-1);
  link.lose();
  link.answer = serverOf({ a: [1, 2, 3].map((seq) => said('a', seq)), b: [said('b', 1)] });
  link.online();
  pending?.fail('offline');
  await settled();
  expect(told).toEqual(['a2', 'a3', 'resync 2']);
});

test('an inbox that refuses for good keeps nothing back', async () => {
  const { link, told } = await seen();
  link.answer = (event) => (event === 'notifications:list' ? new RealtimeError('internal', 'a bug') : quiet(event, {}));
  link.online();
  link.send('kyc:update', kyc(2), 't.e.2.0');
  await settled();
  expect(told).toEqual(['2', 'resync 0']);
});

test('what came live meanwhile is told in order and once, also below the newest of the list', async () => {
  const { link, told } = await seen();
  link.answer = (event) => (event === 'chat:rooms' ? quiet(event, {}) : undefined);
  link.online();
  link.send('chat:message', message('c', said('c', 1)), 't.e.3.0');
  link.send('kyc:update', kyc(4), 't.e.4.0');
  link.send('kyc:update', kyc(6), 't.e.6.0');
  link.asked.at(-1)?.reply({ items: [listed(5), listed(4), listed(2), listed(1)], next: '' });
  await settled();
  expect(told).toEqual(['2', 'c1', '4', '5', '6', 'resync 3']);
});

test('a second connection that was not recovered asks again for what the first could not know', async () => {
  const { link, told } = await seen();
  link.answer = (event) => (event === 'chat:rooms' ? quiet(event, {}) : undefined);
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
      : quiet(event, {});
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

test('a message that a page brought before it came is told once', async () => {
  const { client, link, told } = await seen();
  link.answer = serverOf({ a: [said('a', 1), said('a', 2)] });
  await client.history('a');
  expect(client.room('a').get().messages).toHaveLength(2);
  expect(told).toEqual([]);
  link.send('chat:message', message('a', said('a', 2)), 't.e.2.0');
  link.send('chat:message', message('a', said('a', 2)), 't.e.3.0');
  expect(told).toEqual(['a2']);
  expect(client.room('a').get().messages).toHaveLength(2);
});
