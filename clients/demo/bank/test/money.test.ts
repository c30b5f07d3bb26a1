import { describe, expect, test } from 'vitest';

import { amountOf, moneyOf, unitsOf } from '../src/money.js';

describe('amounts', () => {
  test.each([
    ['12.50', 1250n],
    ['12.5', 1250n],
    ['12', 1200n],
    ['0.01', 1n],
    ['999999999999999.99', 99_999_999_999_999_999n],
  ])('%s is %i units', (text, units) => expect(unitsOf(text)).toBe(units));

  test.each(['', '.5', '1.', '1.234', '-1', '+1', '1e2', ' 1', '1,5', '١', '1234567890123456'])('%j is none', (text) =>
    expect(unitsOf(text)).toBeUndefined(),
  );

  test.each([
    [0n, '0.00'],
    [5n, '0.05'],
    [-5n, '-0.05'],
    [123_456n, '1234.56'],
  ])('%i units are told exactly', (units, text) => expect(amountOf(units)).toBe(text));

  test('a sentence names the currency', () => expect(moneyOf(1250n)).toBe('12.50 EUR'));
});
