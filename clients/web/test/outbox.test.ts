import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { RealtimeError } from '../src/errors.js';
import { Outbox, type OutboxOptions, type Storage } from '../src/outbox.js';

class MemoryStorage implements Storage {
  readonly items = new Map<string, string>();
  getItem = (key: string): string | null => this.items.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.items.set(key, value);
  removeItem = (key: string): void => void this.items.delete(key);
}

const entry = (id: string, lane = 'a', expiresAt = Number.MAX_SAFE_INTEGER) => ({
  id,
  lane,
  event: 'chat:send',
  payload: { id },
  expiresAt,
});
const settled = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined);

/** An outbox and what it sent; `answer` decides how each request ends. */
function makeOutbox(answer: (id: string) => unknown, options: Partial<OutboxOptions> = {}) {
  const sent: string[] = [];
  const outbox = new Outbox({
    send: (_event, payload) => {
      const { id } = payload as { id: string };
      sent.push(id);
      return Promise.resolve(id).then(answer);
    },
    backoff: { baseMs: 100, maxMs: 1000 },
    limit: 10,
    storage: undefined,
    key: Promise.resolve('key'),
    ...options,
  });
  return { outbox, sent };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('what is sent', () => {
  test('waits for the connection, then goes in order', async () => {
    const { outbox, sent } = makeOutbox((id) => `done ${id}`);
    const replies = Promise.all(['1', '2', '3'].map((id) => outbox.add(entry(id))));
    await settled();
    expect(sent).toEqual([]);
    outbox.setOnline(true);
    expect(await replies).toEqual(['done 1', 'done 2', 'done 3']);
    expect(sent).toEqual(['1', '2', '3']);
    expect(outbox.size).toBe(0);
  });

  test('is sent again under its key for as long as it fails for a while, and holds up its lane only', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5); // of a jitter that may be none
    let fails = 3;
    const { outbox, sent } = makeOutbox((id) => {
      if (id === '1' && fails-- > 0) throw new RealtimeError('unavailable', 'try again');
      return id;
    });
    outbox.setOnline(true);
    const replies = [outbox.add(entry('1')), outbox.add(entry('2')), outbox.add(entry('3', 'b'))];
    await settled();
    expect(sent).toEqual(['1', '3']);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent).toEqual(['1', '3', '1', '1', '1', '2']);
    expect(await Promise.all(replies)).toEqual(['1', '2', '3']);
  });

  test('waits as long as the server says', async () => {
    let fails = 1;
    const { outbox, sent } = makeOutbox(() => {
      if (fails-- > 0) throw new RealtimeError('rate_limited', 'slower', { retryAfterMs: 3000 });
    });
    outbox.setOnline(true);
    void outbox.add(entry('1'));
    await vi.advanceTimersByTimeAsync(2999);
    expect(sent).toEqual(['1']);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual(['1', '1']);
  });

  test('is given back when it is refused, and the next one goes', async () => {
    const { outbox, sent } = makeOutbox((id) => {
      if (id === '1') throw new RealtimeError('forbidden', 'no');
    });
    outbox.setOnline(true);
    const refused = expect(outbox.add(entry('1'))).rejects.toMatchObject({ code: 'forbidden' });
    await outbox.add(entry('2'));
    await refused;
    expect(sent).toEqual(['1', '2']);
  });

  test('expires, can be aborted, and is bounded', async () => {
    const { outbox, sent } = makeOutbox((id) => id, { limit: 3 });
    const abort = new AbortController();
    const old = expect(outbox.add(entry('old', 'a', Date.now() + 1000))).rejects.toMatchObject({ code: 'expired' });
    const gone = expect(outbox.add(entry('gone'), abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    const kept = outbox.add(entry('kept'));
    await expect(outbox.add(entry('more'))).rejects.toMatchObject({ code: 'queue_full', temporary: true });
    abort.abort();
    await vi.advanceTimersByTimeAsync(1001);
    outbox.setOnline(true);
    await Promise.all([old, gone, kept]);
    expect(sent).toEqual(['kept']);
  });
});

describe('the storage', () => {
  test('gives the next page what was not sent, under the same keys and in order', async () => {
    const storage = new MemoryStorage();
    const before = makeOutbox((id) => id, { storage });
    const lost = [outboxAdd(before.outbox, '1'), outboxAdd(before.outbox, '2')];
    await vi.waitFor(() => expect(storage.items.get('key')).toContain('"id":"2"'));
    before.outbox.close();
    await Promise.all(lost);
    const after = makeOutbox((id) => id, { storage });
    await after.outbox.restore();
    after.outbox.setOnline(true);
    await vi.waitFor(() => expect(storage.items.size).toBe(0));
    expect(after.sent).toEqual(['1', '2']);
  });

  test('may be full or broken', async () => {
    const storage: Storage = {
      getItem: () => 'not JSON',
      setItem: () => {
        throw new Error('full');
      },
      removeItem: () => undefined,
    };
    const { outbox } = makeOutbox((id) => id, { storage });
    await outbox.restore();
    outbox.setOnline(true);
    expect(await outbox.add(entry('1'))).toBe('1');
  });
});

function outboxAdd(outbox: Outbox, id: string): Promise<void> {
  return expect(outbox.add(entry(id))).rejects.toMatchObject({ code: 'offline' });
}

test('what holds only at this moment is sent at once and once, or not at all', async () => {
  const sent: object[] = [];
  let fails = 1;
  const { outbox } = makeOutbox(() => undefined, {
    send: (_event, payload) => {
      sent.push(payload);
      return fails-- > 0 ? Promise.reject(new RealtimeError('unavailable', 'try again')) : Promise.resolve();
    },
  });
  outbox.setOnline(true);
  const now = outbox.add(entry('1'), undefined, { all: true });
  const behind = outbox.add(entry('2'), undefined, { all: true });
  await vi.advanceTimersByTimeAsync(1000);
  await Promise.all([now, behind]);
  expect(sent).toEqual([{ all: true }, { id: '1' }, { id: '2' }]);
});

test('what an earlier page left goes before what is sent meanwhile', async () => {
  const storage = new MemoryStorage();
  storage.items.set('key', JSON.stringify([entry('left')]));
  const { outbox, sent } = makeOutbox((id) => id, { storage });
  outbox.setOnline(true);
  const added = outbox.add(entry('new'));
  await outbox.restore();
  await added;
  expect(sent).toEqual(['left', 'new']);
});

test('what is too old is given back without a connection, and takes no place', async () => {
  const { outbox } = makeOutbox((id) => id, { limit: 1 });
  const old = expect(outbox.add(entry('old', 'a', Date.now() + 1000))).rejects.toMatchObject({ code: 'expired' });
  await vi.advanceTimersByTimeAsync(1001);
  await old;
  expect(outbox.size).toBe(0);
});

test('a stored value that is no list is as good as none', async () => {
  const storage = new MemoryStorage();
  storage.items.set('key', '{"id":"1"}');
  const { outbox } = makeOutbox((id) => id, { storage });
  await outbox.restore();
  outbox.setOnline(true);
  expect(await outbox.add(entry('1'))).toBe('1');
});
