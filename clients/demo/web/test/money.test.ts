import { describe, expect, it, test } from 'vitest';

import { formatChange, formatMoney, isMore, moneyParts, parseAmount, scaleOf } from '../src/money';

test.each([
  ['1234.5', 'EUR', '€1,234.50'],
  ['0.07', 'USD', 'US$0.07'],
  [1500, 'EUR', '€1,500.00'],
  ['500', 'JPY', 'JP¥500'],
  ['12.345', 'BHD', 'BHD 12.345'],
])('%s %s is shown as %s', (amount, currency, shown) => {
  expect(formatMoney(amount, currency).replace(/\u00a0/g, ' ')).toBe(shown);
});

test('a change has the sign of what it does to the balance, whatever the amount had', () => {
  expect(formatChange('12.5', 'EUR', 'in')).toBe('+€12.50');
  expect(formatChange('-12.5', 'EUR', 'out')).toBe('-€12.50');
  expect(formatChange(0, 'EUR', 'out')).toBe('€0.00');
});

test('the parts of an amount are all of it', () => {
  expect(moneyParts('3070.70', 'EUR')).toEqual({ symbol: '€', whole: '3,070', fraction: '.70' });
  expect(moneyParts('-5', 'JPY')).toEqual({ symbol: 'JP¥', whole: '-5', fraction: '' });
});

describe('what is typed', () => {
  test.each([
    ['12', '12.00'],
    ['12.5', '12.50'],
    [' 12,50 ', '12.50'],
    ['007.1', '7.10'],
    ['0.01', '0.01'],
    ['999999999999.99', '999999999999.99'],
    ['5.', '5.00'],
  ])('%s is %s', (text, decimal) => expect(parseAmount(text, 2)).toBe(decimal));

  test.each(['', '0', '0.00', '-1', '1.234', '1e3', '.5', '1.2.3', '12 EUR', '1234567890123', 'NaN'])(
    '%j is no amount',
    (text) => expect(parseAmount(text, 2)).toBeUndefined(),
  );

  it('has the digits of its currency', () => {
    expect(parseAmount('500', scaleOf('JPY'))).toBe('500');
    expect(parseAmount('500.5', scaleOf('JPY'))).toBeUndefined();
  });
});

test('amounts are compared as integers', () => {
  expect(isMore('0.30', 0.3, 2)).toBe(false);
  expect(isMore('9007199254740993.01', '9007199254740993.00', 2)).toBe(true);
  expect(isMore('10.00', 9.99, 2)).toBe(true);
  expect(isMore('9.99', 10, 2)).toBe(false);
});
