import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { WalletwireClient } from '../src/client.js';
import { FakeLink } from './fake-link.js';

vi.mock('../src/socket-link.js', async () => ({ SocketLink: (await import('./fake-link.js')).FakeLink }));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settled = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const makeClient = (): WalletwireClient => new WalletwireClient({ backoff: { baseMs: 100, maxMs: 1000 } });
const page = (...texts: string[]) => ({
  roomId: 'r',
  name: '',
  messages: texts.map((text, i) => ({ id: text, roomId: 'r', seq: i + 1, senderId: 'bob', text })),
  oldestSeq: 1,
  newestSeq: texts.length,
  readMarkers: [],
});
const answers =
  (text: string) =>
  (event: string): object => {
    if (event === 'chat:history') return page(text);
    return event === 'notifications:list' ? { items: [], next: '' } : {};
  };
const texts = (client: WalletwireClient): string[] =>
  client
    .room('r')
    .get()
    .messages.map(({ text }) => text);

test('what was wanted before connect is asked for, and shown where it is watched', async () => {
  const client = makeClient();
  const [room, transfer] = [client.room('r'), client.transfer('t')];
  await expect(client.openRoom('r')).rejects.toMatchObject({ code: 'offline' });
  await expect(client.trackTransfer('t')).rejects.toMatchObject({ code: 'offline' });
  client.connect('token');
  FakeLink.newest.answer = (event) =>
    event === 'transfer:track' ? { transfer: { transferId: 't', state: 'pending', version: 1 } } : answers('hi')(event);
  FakeLink.newest.online();
  await settled();
  expect(room.get()).toMatchObject({ status: 'ready', messages: [{ text: 'hi' }] });
  expect(transfer.get()).toMatchObject({ state: 'pending' });
});

test('signing out empties what is shown, in place, and the next connection fills it again', async () => {
  const client = makeClient();
  const [room, transfer] = [client.room('r'), client.transfer('t')];
  client.connect('token');
  FakeLink.newest.answer = answers('first');
  FakeLink.newest.online();
  await client.openRoom('r');
  FakeLink.newest.send('transfer:update', { transferId: 't', version: 1 });
  client.disconnect();
  expect(room.get()).toMatchObject({ status: 'idle', messages: [] });
  expect(transfer.get()).toBeUndefined();
  client.connect('token');
  FakeLink.newest.answer = answers('second');
  FakeLink.newest.online();
  await settled();
  expect(room.get()).toMatchObject({ status: 'ready', messages: [{ text: 'second' }] });
});

test('what nobody wants any more is not asked for', async () => {
  const client = makeClient();
  await expect(client.trackTransfer('t')).rejects.toThrow();
  await client.untrackTransfer('t');
  client.connect('token');
  FakeLink.newest.online();
  await settled();
  expect(FakeLink.newest.payloads('transfer:track')).toEqual([]);
});

test('an open room shows what was edited while there was no connection', async () => {
  const client = makeClient();
  client.connect('token');
  const link = FakeLink.newest;
  link.answer = answers('before');
  link.online();
  await client.openRoom('r');
  let asked = 0;
  link.answer = (event) => {
    if (event !== 'chat:history') return answers('')(event);
    asked++;
    const edited = page('after').messages.map((message) => ({ ...message, editedAt: '2025-01-02' }));
    return { ...page('after'), messages: edited };
  };
  link.online();
  await settled();
  expect(texts(client)).toEqual(['after']);
  expect(asked).toBe(2);
});

test('all is asked for one after another, and again after as long as the server says, unless it is refused', async () => {
  const client = makeClient();
  const ids = Array.from({ length: 50 }, (_, i) => `t${i}`);
  for (const id of ids) await client.trackTransfer(id).catch(() => undefined);
  client.connect('token');
  const link = FakeLink.newest;
  link.online();
  for (const id of ids) {
    await settled();
    const { payload, reply, fail } = link.asked.at(-1)!;
    expect([link.payloads('transfer:track').length, payload]).toEqual([ids.indexOf(id) + 1, { transferId: id }]);
    if (id === 't7') fail('rate_limited', 5000);
    else if (id === 't8') fail('forbidden');
    else reply({});
    if (id === 't7') {
      await settled(4999);
      expect(link.asked).toHaveLength(8);
      await settled(1);
    }
  }
  await settled(1000);
  expect(link.payloads('transfer:track').slice(50)).toEqual([{ transferId: 't7' }]);
  link.asked.at(-1)?.reply({});
  link.answer = (event) => (event === 'notifications:list' ? { items: [], next: '' } : {});
  link.online();
  await settled();
  expect(link.payloads('transfer:track').slice(51)).toEqual(
    ids.filter((id) => id !== 't8').map((transferId) => ({ transferId })),
  );
});
