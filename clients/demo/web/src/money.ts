// Money as people read and write it. Amounts are never computed with as floating-point numbers: they are shown as they
// came, and compared as integers with a scale.

/** '12.50', or the number that a JSON reader made of such digits. */
export type Amount = string | number;

const LOCALE = 'en-GB';
const formats = new Map<string, Intl.NumberFormat>();

function formatOf(currency: string, signed: boolean): Intl.NumberFormat {
  const key = `${currency} ${String(signed)}`;
  let format = formats.get(key);
  if (!format) {
    const style =
      currency === '' ? ({ minimumFractionDigits: 2 } as const) : ({ style: 'currency', currency } as const);
    format = new Intl.NumberFormat(LOCALE, { ...style, ...(signed && { signDisplay: 'exceptZero' }) });
    formats.set(key, format);
  }
  return format;
}

export function formatMoney(amount: Amount, currency: string): string {
  return formatOf(currency, false).format(amount as number);
}

/** With the sign of what it does to a balance. */
export function formatChange(amount: Amount, currency: string, direction: 'in' | 'out'): string {
  const digits = String(amount).replace(/^[-+]/, '');
  return formatOf(currency, true).format((direction === 'in' ? digits : `-${digits}`) as unknown as number);
}

export interface MoneyParts {
  symbol: string;
  whole: string;
  fraction: string;
}

/** In parts, for a type size each. */
export function moneyParts(amount: Amount, currency: string): MoneyParts {
  const parts: MoneyParts = { symbol: '', whole: '', fraction: '' };
  for (const { type, value } of formatOf(currency, false).formatToParts(amount as number)) {
    if (type === 'currency') parts.symbol += value;
    else if (type === 'decimal' || type === 'fraction') parts.fraction += value;
    else if (type !== 'literal') parts.whole += value;
  }
  return parts;
}

/** Digits behind the point. */
export function scaleOf(currency: string): number {
  return formatOf(currency, false).resolvedOptions().maximumFractionDigits ?? 2;
}

/** What somebody typed as a decimal text with exactly `scale` digits; undefined unless it is an amount above zero. */
export function parseAmount(text: string, scale: number): string | undefined {
  const match = /^(\d{1,12})(?:[.,](\d*))?$/.exec(text.trim());
  if (!match) return undefined;
  const [, whole = '', fraction = ''] = match;
  if (fraction.length > scale) return undefined;
  const decimal = BigInt(whole).toString() + (scale > 0 ? `.${fraction.padEnd(scale, '0')}` : '');
  return /[1-9]/.test(decimal) ? decimal : undefined;
}

function unitsOf(amount: Amount, scale: number): bigint {
  const [whole = '0', fraction = ''] = String(amount).split('.');
  return BigInt(whole + fraction.padEnd(scale, '0').slice(0, scale));
}

export function isMore(amount: Amount, than: Amount, scale: number): boolean {
  return unitsOf(amount, scale) > unitsOf(than, scale);
}
