import { expect, test } from 'vitest';

import { Notifications } from '../src/notifications.js';

test.each([
  { what: 'while all is shown', all: true, first: { all: true } },
  { what: 'while more may have come', all: false, first: undefined },
])('"all" is what was shown, $what', async ({ all, first }) => {
  const asked: unknown[] = [];
  const notifications = new Notifications({
    ask: () => Promise.reject(new Error('not asked')),
    enqueue: (event, payload, _id, _lane, _cancel, now) => {
      asked.push([event, payload, now]);
      return Promise.resolve({ changed: 0, unread: 0 });
    },
    shown: () => ({ upTo: 7, all }),
  });
  await notifications.read('all');
  await notifications.seen(['n1']);
  expect(asked).toEqual([
    ['notifications:read', { upTo: 7 }, first],
    ['notifications:seen', { ids: ['n1'] }, undefined],
  ]);
});
