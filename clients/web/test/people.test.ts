import { expect, test, vi } from 'vitest';

import { WalletwireClient } from '../src/client.js';
import { People } from '../src/people.js';
import { FakeLink } from './fake-link.js';

vi.mock('../src/socket-link.js', async () => ({ SocketLink: (await import('./fake-link.js')).FakeLink }));

test('a list of friends is the whole truth: whoever is not in it has gone', () => {
  const people = new People();
  people.replace([
    { userId: 'a', status: 'online' },
    { userId: 'b', status: 'away' },
  ]);
  const changes = people.replace([
    { userId: 'a', status: 'online' },
    { userId: 'c', status: 'online' },
  ]);
  expect(changes).toEqual([
    { userId: 'c', status: 'online' },
    { userId: 'b', status: 'offline' },
  ]);
  expect([...people.view.get().keys()]).toEqual(['a', 'c']);
});

test('what is known already is told once, whether by a list, a change or an answer', async () => {
  const client = new WalletwireClient();
  client.connect('token');
  const link = FakeLink.newest;
  link.online();
  const told: string[] = [];
  client.on('presence', ({ userId, status, lastSeen }) => told.push([userId, status, lastSeen].join(' ').trim()));
  link.send('presence:friends', { users: [{ userId: 'a', status: 'online' }] });
  const shown = client.people.get();
  link.send('presence:update', { userId: 'a', status: 'online' });
  link.send('presence:friends', { users: [{ userId: 'a', status: 'online' }] });
  expect(client.people.get()).toBe(shown);
  link.answer = () => ({ users: [{ userId: 'a', status: 'away' }] });
  await client.presence(['a']);
  link.send('presence:update', { userId: 'a', status: 'away' });
  for (const lastSeen of ['10:00', '10:00', '11:00'])
    link.send('presence:update', { userId: 'a', status: 'offline', lastSeen });
  link.send('presence:update', { userId: 'stranger', status: 'offline' });
  expect(told).toEqual(['a online', 'a away', 'a offline 10:00', 'a offline 11:00']);
  expect([...client.people.get().keys()]).toEqual(['a']);
});
