import { expectTypeOf, test } from 'vitest';

import { type ClientEvents, type NotificationItem, WalletwireClient } from '../src/index.js';

const client = new WalletwireClient();

test('listeners know what they are told', () => {
  client.on('balanceUpdate', (data) => expectTypeOf(data.available_balance).toEqualTypeOf<number>());
  client.on('transaction', (data) =>
    expectTypeOf(data.status).toEqualTypeOf<'pending' | 'completed' | 'failed' | ''>(),
  );
  client.on('presence', (data) => expectTypeOf(data.userId).toEqualTypeOf<string>());
  expectTypeOf(client.on('typing', () => undefined)).toEqualTypeOf<() => void>();
  // @ts-expect-error -- there is no such event
  client.on('balance', () => undefined);
  // @ts-expect-error -- a balance has no such field
  client.on('balanceUpdate', (data) => expectTypeOf(data.balance));
});

test('every event of the requirement is there', () => {
  type Wanted =
    | 'balanceUpdate'
    | 'transaction'
    | 'transferUpdate'
    | 'payment'
    | 'deposit'
    | 'withdrawal'
    | 'securityAlert'
    | 'limitExceeded';
  type More =
    'kycUpdate' | 'cardActivity' | 'announcement' | 'notification' | 'unread' | 'presence' | 'chatMessage' | 'typing';
  expectTypeOf<Wanted | More>().toExtend<keyof ClientEvents>();
});

test('an item of the inbox is known by its event', () => {
  const item = {} as NotificationItem;
  if (item.event === 'payment') expectTypeOf(item.data.amount).toEqualTypeOf<number>();
});
