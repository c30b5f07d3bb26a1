import { describe, expect, test } from 'vitest';

import { amount, choice, customer, flag, list, object, optional, type Reader, text, within } from '../src/read.js';

const person = object({
  name: text(5),
  tags: optional(list(choice('a', 'b'), 2), []),
  inner: optional(object({ n: within(1, 3) })),
});

test('what is right is given in its type', () => {
  expect(person({ name: '  Zoë ', tags: ['b'], inner: { n: 3 } }, '')).toEqual({
    name: 'Zoë',
    tags: ['b'],
    inner: { n: 3 },
  });
  expect(person({ name: '👩‍👧' }, '')).toEqual({ name: '👩‍👧', tags: [], inner: undefined });
  expect(amount('12.50', 'amount')).toBe(1250n);
  expect(customer('alice', 'to')).toBe('alice');
});

function refusal(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

describe('what is wrong is refused by the name of its field', () => {
  test.each<[Reader<unknown>, unknown, string]>([
    [person, null, 'body'],
    [person, [], 'body'],
    [person, 'x', 'body'],
    [person, {}, 'name'],
    [person, { name: 'x', colour: 'red' }, 'colour'],
    [person, JSON.parse('{"name":"x","__proto__":1}'), '__proto__'],
    [person, { name: 'x', constructor: 1 }, 'constructor'],
    [person, { name: 'longer' }, 'name'],
    [person, { name: ' \n ' }, 'name'],
    [person, { name: 'a\u0000' }, 'name'],
    [person, { name: '\u202eab' }, 'name'],
    [person, { name: '\ud800' }, 'name'],
    [person, { name: 5 }, 'name'],
    [person, { name: 'x', tags: 'a' }, 'tags'],
    [person, { name: 'x', tags: ['a', 'c'] }, 'tags[1]'],
    [person, { name: 'x', tags: ['a', 'a', 'a'] }, 'tags'],
    [person, { name: 'x', inner: { n: 4 } }, 'inner.n'],
    [person, { name: 'x', inner: { n: 1.5 } }, 'inner.n'],
    [person, { name: 'x', inner: { n: NaN } }, 'inner.n'],
    [object({ amount }), { amount: 12.5 }, 'amount'],
    [object({ amount }), { amount: '0.00' }, 'amount'],
    [object({ amount }), { amount: '10000.01' }, 'amount'],
    [object({ amount }), { amount: '-1' }, 'amount'],
    [object({ flag }), { flag: 'true' }, 'flag'],
    [object({ to: customer }), { to: 'ops' }, 'to'],
    [object({ to: customer }), { to: 'mallory' }, 'to'],
  ])('%# %j', (read, value, field) => {
    expect(refusal(() => read(value, ''))).toMatchObject({ code: 'invalid', field });
  });
});
