import { create } from '@bufbuild/protobuf';

import { invalid } from './errors.js';
import { type Decimal, DecimalSchema } from './generated/walletwire/v1/common_pb.js';

/** A decimal string such as `'1500.00'`, or units of 10^-scale: `{ units: 150000, scale: 2 }`. Never a float. */
export type Amount = string | { units: number | bigint; scale: number };

const DIGITS = /^(-?)(\d+)(?:\.(\d+))?$/;
const SCALE_MAX = 18;
const UNITS_MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** The amount as it is sent. Fails with `invalid`, naming the field, for all that is not exact or too large. */
export function decimalOf(field: string, amount: unknown): Decimal {
  const { units, scale } = typeof amount === 'string' ? parse(field, amount) : read(field, amount);
  if (scale < 0 || scale > SCALE_MAX || !Number.isInteger(scale))
    throw invalid(field, `has more than ${SCALE_MAX} digits after the point`);
  if (units > UNITS_MAX || units < -UNITS_MAX) throw invalid(field, 'is too large: at most 2^53 - 1 units');
  return create(DecimalSchema, { units, scale });
}

function parse(field: string, text: string): { units: bigint; scale: number } {
  const [, sign, whole, fraction = ''] = DIGITS.exec(text) ?? [];
  if (whole === undefined) throw invalid(field, "must be a decimal like '1500.00'");
  if (text.length > 40) throw invalid(field, 'is too long');
  return { units: BigInt(`${sign ?? ''}${whole}${fraction}`), scale: fraction.length };
}

function read(field: string, amount: unknown): { units: bigint; scale: number } {
  if (typeof amount === 'number')
    throw invalid(field, 'must be a decimal string or { units, scale }, since a float is not exact');
  if (typeof amount !== 'object' || amount === null)
    throw invalid(field, 'must be a decimal string or { units, scale }');
  const { units, scale } = amount as { units?: unknown; scale?: unknown };
  if (typeof units !== 'bigint' && !Number.isSafeInteger(units))
    throw invalid(`${field}.units`, 'must be a whole number');
  if (!Number.isSafeInteger(scale)) throw invalid(`${field}.scale`, 'must be a whole number');
  return { units: BigInt(units as number | bigint), scale: scale as number };
}
