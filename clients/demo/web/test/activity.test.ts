import { type NotificationItem } from '@walletwire/client';
import { expect, test } from 'vitest';

import { groupBy } from '../src/group';
import { type Movement, movementOf, withMovements } from '../src/wallet/activity';

const at = (second: number): string => `2026-03-01T10:00:${String(second).padStart(2, '0')}.000Z`;

const item = (event: string, data: object, second = 0): NotificationItem =>
  ({
    event,
    data,
    state: 'unread',
    notification: { id: `n${second}`, title: 'Title', text: 'Text', createdAt: at(second) },
  }) as unknown as NotificationItem;

const transaction = (status: string, second: number): Movement | undefined =>
  movementOf(
    item(
      'transaction',
      {
        id: 'tx-1',
        amount: 80,
        currency: 'EUR',
        direction: 'outgoing',
        status,
        message: 'Flat',
        counterparty: { userId: 'carol', name: 'Carol' },
      },
      second,
    ),
  );

test('a transaction is told by whom it is with, and by its message', () => {
  expect(transaction('completed', 1)).toEqual({
    id: 'tx-1',
    kind: 'transaction',
    title: 'Carol',
    detail: 'Flat',
    amount: 80,
    currency: 'EUR',
    direction: 'out',
    status: 'completed',
    at: at(1),
  });
});

test.each([
  ['deposit', { id: 'd', amount: 1, currency: 'EUR', status: 'completed' }, 'in', 'completed'],
  ['withdrawal', { id: 'w', amount: 1, currency: 'EUR', status: 'failed' }, 'out', 'failed'],
  ['card:activity', { type: 'refund', amount: 1, currency: 'EUR', merchant: 'Shop', message: '' }, 'in', 'completed'],
  ['card:activity', { type: 'declined', amount: 1, currency: 'EUR', merchant: 'Shop', message: '' }, 'out', 'failed'],
  ['transfer:update', { transferId: 't', amount: 1, currency: 'EUR', state: 'cancelled' }, undefined, 'failed'],
])('%s %j goes %s and is %s', (event, data, direction, status) => {
  expect(movementOf(item(event, data))).toMatchObject({ direction, status });
});

test.each(['security:alert', 'kyc:update', 'limit:exceeded', 'announcement'])('%s moves nothing', (event) => {
  expect(movementOf(item(event, {}))).toBeUndefined();
});

const added = (...movements: (Movement | undefined)[]): readonly Movement[] =>
  movements.reduce<readonly Movement[]>((list, movement) => withMovements(list, movement ? [movement] : []), []);

test('what was pending and is completed is one movement', () => {
  expect(added(transaction('pending', 1), transaction('completed', 2))).toMatchObject([
    { status: 'completed', at: at(2) },
  ]);
});

test('an end is final, in whatever order a page and the news come', () => {
  expect(added(transaction('completed', 2), transaction('pending', 1))).toMatchObject([{ status: 'completed' }]);
});

test('a transaction says more than the transfer that it is the sum of', () => {
  const transfer = movementOf(item('transfer:update', { transferId: 'tx-1', currency: 'EUR', state: 'completed' }, 3));
  expect(added(transfer, transaction('completed', 2))).toMatchObject([{ kind: 'transaction' }]);
  expect(added(transaction('completed', 2), transfer)).toMatchObject([{ kind: 'transaction' }]);
});

test('the newest stands first', () => {
  const deposit = (id: string, second: number): Movement | undefined =>
    movementOf(item('deposit', { id, amount: 1, currency: 'EUR', status: 'completed' }, second));
  expect(added(deposit('a', 2), deposit('b', 3), deposit('c', 1)).map(({ id }) => id)).toEqual(['b', 'a', 'c']);
});

test('neighbours stand under one heading', () => {
  expect(groupBy([1, 3, 2, 5], (n) => (n % 2 ? 'odd' : 'even'))).toEqual([
    ['odd', [1, 3]],
    ['even', [2]],
    ['odd', [5]],
  ]);
});
