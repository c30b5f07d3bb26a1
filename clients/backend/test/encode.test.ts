import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';

import { encode } from '../src/events.js';
import { EventSchema } from '../src/generated/walletwire/v1/event_pb.js';
import { decimalOf } from '../src/money.js';

describe('amounts', () => {
  test.each([
    ['1500.00', 150_000n, 2],
    ['-0.5', -5n, 1],
    ['0', 0n, 0],
    ['9007199254740991', 9_007_199_254_740_991n, 0],
    [{ units: 1234, scale: 2 }, 1234n, 2],
    [{ units: -5n, scale: 0 }, -5n, 0],
  ])('%o is exact', (amount, units, scale) => {
    expect(decimalOf('amount', amount)).toMatchObject({ units, scale });
  });

  test.each([
    1.5,
    100,
    '1,5',
    '1.',
    '.5',
    '1e3',
    '',
    ' 1',
    '1.0000000000000000001',
    '9007199254740992',
    null,
    {},
    { units: 1.5, scale: 2 },
  ])('%j is refused', (amount) => {
    expect(() => decimalOf('amount', amount)).toThrow(expect.objectContaining({ code: 'invalid' }) as Error);
  });
});

describe('an event', () => {
  const body = { referenceId: 'p-1', status: 'completed', amount: '1.50', currency: 'EUR' };

  test('is the same from either case of keys', () => {
    const at = { occurredAt: '2025-01-23T10:30:45.123Z' };
    const draft = { kind: 'payment', userIds: ['alice'], key: ['p-1', 'completed'], options: at } as const;
    const camel = encode({ ...draft, body });
    const snake = encode({
      ...draft,
      body: { reference_id: 'p-1', status: 'completed', amount: '1.50', currency: 'EUR' },
    });
    expect(camel).toEqual(snake);
    const { occurredAt } = at;
    expect(encode({ ...draft, body, options: { occurred_at: occurredAt } })).toEqual(camel);
    const event = fromBinary(EventSchema, camel.bytes);
    expect([event.id, event.userIds, event.body.case]).toEqual(['p-1/completed', ['alice'], 'payment']);
    expect(event.occurredAt).toMatchObject({ seconds: 1_737_628_245n, nanos: 123_000_000 });
  });

  test('says which trace it belongs to', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { bytes } = encode({ kind: 'payment', userIds: ['alice'], body, options: { traceparent } });
    expect(fromBinary(EventSchema, bytes).traceparent).toBe(traceparent);
  });

  test('has a key that fits, whatever it is made of', () => {
    const long = encode({ kind: 'payment', userIds: ['alice'], body, key: ['x'.repeat(128), 'completed'] });
    expect(long.id).toMatch(/^[0-9a-f]{64}$/);
    const given = encode({ kind: 'payment', userIds: ['alice'], body, options: { event_id: 'mine' } });
    expect(given.id).toBe('mine');
  });

  test('has a key that no other parts have', () => {
    const idOf = (...key: string[]): string => encode({ kind: 'payment', userIds: ['alice'], body, key }).id;
    expect(idOf('a/b', 'c')).toBe('a%2Fb/c');
    expect(new Set([idOf('a/b', 'c'), idOf('a', 'b/c'), idOf('a', 'b', 'c'), idOf('a%2Fb', 'c')]).size).toBe(4);
  });

  test.each([
    '2025-02-30T00:00:00Z',
    '2025-01-23T24:30:00Z',
    '2025-01-23',
    '2025-01-23T10:30:45',
    '1',
    '0000-12-31T00:00:00Z',
    '9999-12-31T23:59:59-01:00',
    new Date('+010000-01-01T00:00:00Z'),
    new Date(NaN),
    5,
  ])('is refused with the time %s', (expiresAt) => {
    const options = { expiresAt };
    expect(() => encode({ kind: 'payment', userIds: ['alice'], body, options })).toThrow(
      expect.objectContaining({ code: 'invalid', field: 'event.expires_at' }) as Error,
    );
  });

  test.each(['2024-02-29T23:59:59.999+14:00', '0001-01-01T00:00:00Z', '9999-12-31T23:59Z', new Date(0)])(
    'may have the time %s',
    (expiresAt) => {
      expect(() => encode({ kind: 'payment', userIds: ['alice'], body, options: { expiresAt } })).not.toThrow();
    },
  );

  test.each([
    [{ ...body, amount: undefined }, 'payment.amount'],
    [{ ...body, currency: 'eur' }, 'payment.currency'],
    [{ ...body, status: 'COMPLETED' }, 'payment.status'],
    [{ ...body, reference_id: 'p-1' }, 'payment.reference_id'],
    [{ ...body, unknown: 1 }, 'payment.unknown'],
    [{ ...body, message: 5 }, 'payment.message'],
  ])('is refused by the name of its field: %j', (wrong, field) => {
    expect(() => encode({ kind: 'payment', userIds: ['alice'], body: wrong })).toThrow(
      expect.objectContaining({ field }) as Error,
    );
  });
});
