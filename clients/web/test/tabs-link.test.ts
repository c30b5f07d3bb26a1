import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { TabsLink } from '../src/tabs-link.js';
import { FakeLink } from './fake-link.js';

vi.mock('../src/socket-link.js', async () => ({ SocketLink: (await import('./fake-link.js')).FakeLink }));

const token = `x.${Buffer.from(JSON.stringify({ sub: 'ann' })).toString('base64url')}.y`;
let links: TabsLink[] = [];

/** One lock that goes to whoever waits longest. */
class Locks {
  #last: Promise<unknown> = Promise.resolve();

  request(_name: string, { signal }: { signal: AbortSignal }, hold: () => Promise<void>): Promise<void> {
    const own = this.#last.then(() => (signal.aborted ? undefined : hold()));
    this.#last = own;
    return own;
  }
}

beforeEach(() => vi.stubGlobal('navigator', { locks: new Locks() }));
afterEach(() => {
  for (const link of links) link.close();
  links = [];
  vi.unstubAllGlobals();
});

function openTab() {
  const events: unknown[] = [];
  const provide = () => Promise.resolve(token);
  const link = new TabsLink({ url: 'x', provide, renewable: true, backoff: { baseMs: 1, maxMs: 1 }, socket: {} });
  link.open({ online: () => undefined, event: (...event) => events.push(event) });
  links.push(link);
  return { link, events };
}

const leader = async (before?: FakeLink): Promise<FakeLink> => {
  await vi.waitFor(() => expect(FakeLink.newest).not.toBe(before));
  return FakeLink.newest;
};

test('a tab that is refused fails alone, and the next one has a socket of its own', async () => {
  const before = FakeLink.newest as FakeLink | undefined;
  const first = openTab();
  const refused = await leader(before);
  const second = openTab();
  const states: string[] = [];
  second.link.state.subscribe(() => states.push(second.link.state.get().status));
  const answer = second.link.ask('balance:get', {}, { timeoutMs: 5000 });
  refused.state.set({ status: 'failed', reason: 'token_revoked' });
  const next = await leader(refused);
  next.online();
  next.asked.at(-1)?.reply({ balances: [] });
  await expect(answer).resolves.toEqual({ balances: [] });
  expect(first.link.state.get()).toEqual({ status: 'failed', reason: 'token_revoked' });
  expect(second.link.state.get().status).toBe('online');
  expect(states).not.toContain('failed');
});

test('a tab that comes later is told the states as of now', async () => {
  const before = FakeLink.newest as FakeLink | undefined;
  openTab();
  const socket = await leader(before);
  socket.online();
  socket.send('notifications:unread', { total: 1 }, 't.e.5.2');
  socket.send('kyc:update', {}, 't.e.30.2');
  const { events } = openTab();
  await vi.waitFor(() => expect(events).toHaveLength(1));
  expect(events).toEqual([['notifications:unread', { total: 1 }, 't.e.30.2']]);
});
