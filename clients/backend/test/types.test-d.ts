import { expectTypeOf, test } from 'vitest';

import { type AnyCase, type RealtimeNotifications, type TransactionInput } from '../src/index.js';

declare const bank: RealtimeNotifications;

test('either case of keys is typed, and a float is none of it', () => {
  expectTypeOf<{ id: string; sender_id: string; recipient_id: string; amount: string; status: 'completed' }>().toExtend<
    AnyCase<TransactionInput>
  >();
  expectTypeOf<{ id: string; senderId: string; amount: { units: number; scale: number }; status: 'failed' }>().toExtend<
    AnyCase<TransactionInput>
  >();
  expectTypeOf<{ id: string; senderId: string; amount: number; status: 'failed' }>().not.toExtend<
    AnyCase<TransactionInput>
  >();
  // @ts-expect-error -- there is no such severity
  expectTypeOf(() => bank.notifySecurityAlert('a', { severity: 'huge', message: '' }));
});
