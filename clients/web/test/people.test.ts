import { expect, test } from 'vitest';

import { People } from '../src/people.js';

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
