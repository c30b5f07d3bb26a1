// Readers of what a request says. Each gives the value in its type, or refuses it by the name of its field.

import { CUSTOMERS } from './people.js';
import { unitsOf } from './money.js';
import { invalid } from './refused.js';

export type Reader<T> = (value: unknown, field: string) => T;
type Shape = Readonly<Record<string, Reader<unknown>>>;
export type Read<S extends Shape> = { [Key in keyof S]: ReturnType<S[Key]> };

const AMOUNT_MAX = 1_000_000n; // units: 10,000.00
// Control characters but newline and tab, and what turns the direction of what follows.
// eslint-disable-next-line no-control-regex -- they are what is looked for
const UNFIT = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;

export function object<S extends Shape>(shape: S): Reader<Read<S>> {
  return (value, field) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw invalid(field || 'body', 'must be an object');
    const path = (key: string): string => (field ? `${field}.${key}` : key);
    const given = new Map(Object.entries(value));
    for (const key of given.keys()) if (!Object.hasOwn(shape, key)) throw invalid(path(key), 'is not known');
    return Object.fromEntries(
      Object.entries(shape).map(([key, read]) => [key, read(given.get(key), path(key))]),
    ) as Read<S>;
  };
}

export function optional<T>(read: Reader<T>): Reader<T | undefined>;
export function optional<T>(read: Reader<T>, otherwise: T): Reader<T>;
export function optional<T>(read: Reader<T>, otherwise?: T): Reader<T | undefined> {
  return (value, field) => (value === undefined ? otherwise : read(value, field));
}

function string(value: unknown, field: string): string {
  if (value === undefined) throw invalid(field, 'is missing');
  if (typeof value !== 'string') throw invalid(field, 'must be a text');
  return value;
}

/** 1 to `max` characters, trimmed, without what no screen should be shown. */
export function text(max: number): Reader<string> {
  return (value, field) => {
    const read = string(value, field).trim();
    if (read === '') throw invalid(field, 'is empty');
    if (Array.from(read).length > max) throw invalid(field, `has more than ${max} characters`);
    if (UNFIT.test(read)) throw invalid(field, 'has characters that can not be shown');
    return read;
  };
}

export function choice<const Word extends string>(...words: readonly Word[]): Reader<Word> {
  return (value, field) => {
    const found = words.find((word) => word === string(value, field));
    if (found === undefined) throw invalid(field, `must be one of ${words.join(', ')}`);
    return found;
  };
}

export const flag: Reader<boolean> = (value, field) => {
  if (typeof value !== 'boolean') throw invalid(field, 'must be true or false');
  return value;
};

export function within(min: number, max: number, { whole = true } = {}): Reader<number> {
  return (value, field) => {
    if (typeof value !== 'number' || !(value >= min && value <= max) || (whole && !Number.isInteger(value)))
      throw invalid(field, `must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
    return value;
  };
}

export function list<T>(read: Reader<T>, max: number): Reader<T[]> {
  return (value, field) => {
    if (value === undefined) throw invalid(field, 'is missing');
    if (!Array.isArray(value)) throw invalid(field, 'must be a list');
    if (value.length > max) throw invalid(field, `has more than ${max} members`);
    return value.map((one, i) => read(one, `${field}[${i}]`));
  };
}

/** Units of a decimal text above zero. */
export const amount: Reader<bigint> = (value, field) => {
  const units = unitsOf(string(value, field));
  if (units === undefined) throw invalid(field, "must be a decimal text like '12.50'");
  if (units === 0n || units > AMOUNT_MAX) throw invalid(field, 'must be from 0.01 to 10000.00');
  return units;
};

/** One of the ready-made users who have a wallet. */
export const customer: Reader<string> = (value, field) => {
  const id = string(value, field);
  if (!CUSTOMERS.some((person) => person.id === id)) throw invalid(field, 'is no user with a wallet');
  return id;
};

/** The id of an event, as it was answered. */
export const eventId: Reader<string> = (value, field) => {
  const id = string(value, field);
  if (id === '' || Buffer.byteLength(id) > 128) throw invalid(field, 'must have 1 to 128 bytes');
  return id;
};
