import { expect, test, vi } from 'vitest';

import { WalletwireClient } from '../src/client.js';
import { FakeLink } from './fake-link.js';

vi.mock('../src/socket-link.js', async () => ({ SocketLink: (await import('./fake-link.js')).FakeLink }));

const token = `x.${Buffer.from(JSON.stringify({ sub: 'ann' })).toString('base64url')}.y`;
const announcement = { id: 'a1', announcementSeq: 1, title: 'Tonight', text: 'No cards', priority: 'high' };

test('an announcement that comes live is an item of the inbox, told once', () => {
  const client = new WalletwireClient();
  const told: string[] = [];
  client.on('announcement', ({ notification }) => told.push(`announcement ${notification.id}`));
  client.on('notification', ({ event, notification }) => told.push(`${event} ${notification.title}`));
  client.connect(token);
  const link = FakeLink.newest;
  link.online();
  link.send('notifications:unread', { total: 3, byType: {}, byPriority: {}, version: 1 }, 't.e.1.0');
  for (let i = 0; i < 2; i++) link.send('announcement', announcement, 't.e.1.1');
  expect(told).toEqual(['announcement Tonight', 'announcement a1']);
  const [item, ...others] = client.inbox.get().items;
  expect(others).toEqual([]);
  expect(item).toMatchObject({
    event: 'announcement',
    data: announcement,
    state: 'unseen',
    notification: {
      id: 'a1',
      seq: 0,
      type: 'announcement',
      priority: 'high',
      title: 'Tonight',
      text: 'No cards',
      unread: 3,
    },
  });
  link.send('notifications:changed', { action: 'recalled', ids: ['a1'], version: 2 }, 't.e.2.1');
  expect(client.inbox.get().items).toEqual([]);
});
