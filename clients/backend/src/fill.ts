import { create, type DescEnum, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { TimestampSchema, timestampFromDate } from '@bufbuild/protobuf/wkt';

import { invalid } from './errors.js';
import { DecimalSchema } from './generated/walletwire/v1/common_pb.js';
import { decimalOf } from './money.js';

export type Data = Readonly<Record<string, unknown>>;

/**
 * A message from an object with its fields in snake or camel case: amounts, times and the words of enums are read as they
 * are told to clients, and whatever has no place in the message is refused by its name.
 */
export function fill(schema: DescMessage, data: unknown, path: string): Message {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw invalid(path, 'must be an object');
  const init: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(data)) {
    if (value === undefined || value === null) continue;
    const field = schema.fields.find(
      ({ name, localName, jsonName }) => key === name || key === localName || key === jsonName,
    );
    if (!field) throw invalid(`${path}.${key}`, 'is not known');
    const at = `${path}.${field.name}`;
    const read = valueOf(field, value, at);
    if (field.oneof) init[field.oneof.localName] = { case: field.localName, value: read };
    else if (field.localName in init) throw invalid(at, 'is given twice');
    else init[field.localName] = read;
  }
  return create(schema, init);
}

function valueOf(field: DescField, value: unknown, path: string): unknown {
  if (field.fieldKind === 'list') {
    if (!Array.isArray(value)) throw invalid(path, 'must be a list');
    return value.map((one, i) => textOf(one, `${path}[${i}]`));
  }
  if (field.fieldKind === 'message') return messageOf(field.message, value, path);
  if (field.fieldKind === 'enum') return numberOf(field.enum, value, path);
  if (field.fieldKind === 'scalar') return scalarOf(field.scalar, value, path);
  throw invalid(path, 'can not be given');
}

function messageOf(schema: DescMessage, value: unknown, path: string): Message {
  if (schema === DecimalSchema) return decimalOf(path, value);
  if (schema === TimestampSchema) return timeOf(value, path);
  return fill(schema, value, path);
}

/** The words of an enum are its names in lower case, without their common start. */
function numberOf(desc: DescEnum, value: unknown, path: string): number {
  const words = desc.values.filter(({ number }) => number !== 0);
  const found = words.find(({ localName }) => localName.toLowerCase() === value);
  if (!found) throw invalid(path, `must be one of ${words.map(({ localName }) => localName.toLowerCase()).join(', ')}`);
  return found.number;
}

function scalarOf(scalar: ScalarType, value: unknown, path: string): unknown {
  if (scalar === ScalarType.STRING) return textOf(value, path);
  if (scalar === ScalarType.BOOL) {
    if (typeof value !== 'boolean') throw invalid(path, 'must be true or false');
    return value;
  }
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (!whole || (value as number | bigint) < 0) throw invalid(path, 'must be a whole number');
  return scalar === ScalarType.UINT64 || scalar === ScalarType.INT64 ? BigInt(value as number) : Number(value);
}

function textOf(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalid(path, 'must be a text');
  return value;
}

const TIME = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
/** What a Timestamp can say. */
const [EARLIEST, LATEST] = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')];

export function timeOf(value: unknown, path: string): Message {
  const date = value instanceof Date ? value : typeof value === 'string' ? parseTime(value) : undefined;
  if (!date || Number.isNaN(date.getTime()))
    throw invalid(path, 'must be a Date or a time like 2025-01-23T10:30:45.123Z');
  if (date.getTime() < EARLIEST || date.getTime() > LATEST) throw invalid(path, 'must be in the years 1 to 9999');
  return timestampFromDate(date);
}

// Date itself takes much more, the 30th of February for the 2nd of March and '1' for a day in 2001.
function parseTime(text: string): Date | undefined {
  const [, year, month, day] = TIME.exec(text) ?? [];
  const midnight = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return midnight.getUTCDate() === Number(day) ? new Date(text) : undefined;
}
