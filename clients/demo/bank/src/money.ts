// Money is whole units of 10^-SCALE, as a bigint; outside of the process it is a decimal text.

export const CURRENCY = 'EUR';
export const SCALE = 2;

const AMOUNT = /^(\d{1,15})(?:\.(\d{1,2}))?$/;

/** The units of a text like '12.50' or '12'; undefined for anything else, also for more digits than a cent has. */
export function unitsOf(text: string): bigint | undefined {
  const [, whole, fraction = ''] = AMOUNT.exec(text) ?? [];
  return whole === undefined ? undefined : BigInt(whole + fraction.padEnd(SCALE, '0'));
}

export function amountOf(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(SCALE + 1, '0');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -SCALE)}.${digits.slice(-SCALE)}`;
}

/** For sentences: '12.50 EUR'. */
export const moneyOf = (units: bigint): string => `${amountOf(units)} ${CURRENCY}`;
