import { describe, expect, test } from 'vitest';

import { type NotificationItem } from '../src/generated/events.js';
import { Inbox } from '../src/inbox.js';

const item = (seq: number): NotificationItem => ({
  event: 'kyc:update',
  data: { status: 'verified', level: '', message: '', timestamp: '' },
  notification: {
    id: `n${seq}`,
    seq,
    type: 'kyc',
    priority: 'high',
    title: '',
    text: '',
    createdAt: `${seq}`,
    unread: seq,
  },
  state: 'unseen',
});
const counters = (total: number, version: number) => ({ total, byType: {}, byPriority: {}, version });
const states = (inbox: Inbox): string[] =>
  inbox.view.get().items.map(({ notification, state }) => `${notification.id} ${state}`);

function filled(): Inbox {
  const inbox = new Inbox();
  for (const seq of [1, 2, 3]) inbox.add(item(seq));
  inbox.setCounters(counters(3, 1));
  return inbox;
}

describe('a mark', () => {
  test('is shown at once and stays when it is answered', async () => {
    const inbox = filled();
    const done = inbox.mark('read', ['n2'], Promise.resolve({ unread: 2 }));
    expect(states(inbox)).toEqual(['n3 unseen', 'n2 read', 'n1 unseen']);
    expect(inbox.unread.get()?.total).toBe(2);
    await done;
    expect(states(inbox)).toEqual(['n3 unseen', 'n2 read', 'n1 unseen']);
    expect(inbox.unread.get()?.total).toBe(2);
  });

  test('is taken back when it fails, whatever else has happened', async () => {
    const inbox = filled();
    const failed = inbox.mark('archived', 'all', Promise.reject(new Error('no')));
    expect(states(inbox)).toEqual([]);
    expect(inbox.unread.get()?.total).toBe(0);
    inbox.change({ action: 'read', ids: ['n1'], version: 2 });
    inbox.setCounters(counters(2, 2));
    await expect(failed).rejects.toThrow('no');
    expect(states(inbox)).toEqual(['n3 unseen', 'n2 unseen', 'n1 read']);
    expect(inbox.unread.get()?.total).toBe(2);
  });

  test('never takes an item back to what it was before', async () => {
    const inbox = filled();
    inbox.change({ action: 'read', upTo: 2, version: 2 });
    await inbox.mark('seen', 'all', Promise.resolve({ unread: 1 }));
    expect(states(inbox)).toEqual(['n3 unread', 'n2 read', 'n1 read']);
  });
});

test('pages take the place of what is there, but for what came meanwhile', () => {
  const inbox = filled();
  inbox.setPage([item(2), item(1)], { first: true, hasMore: true });
  expect(states(inbox)).toEqual(['n3 unseen', 'n2 unseen', 'n1 unseen']);
  inbox.setPage([item(0)], { first: false, hasMore: false });
  expect(states(inbox)).toEqual(['n3 unseen', 'n2 unseen', 'n1 unseen', 'n0 unseen']);
  expect(inbox.view.get().hasMore).toBe(false);
});

test('an older version of the counters changes nothing, and nothing changes without a cause', () => {
  const inbox = filled();
  const before = inbox.view.get();
  inbox.setCounters(counters(9, 0));
  inbox.add(item(3));
  expect(inbox.unread.get()?.total).toBe(3);
  expect(inbox.view.get()).toBe(before);
});

test('the total of a late answer does not replace newer counters', async () => {
  const inbox = filled();
  let answer: (reply: { unread: number }) => void = () => undefined;
  const done = inbox.mark('read', ['n2'], new Promise<{ unread: number }>((resolve) => (answer = resolve)));
  inbox.setCounters(counters(5, 2));
  answer({ unread: 2 });
  await done;
  expect(inbox.unread.get()?.total).toBe(5);
});
