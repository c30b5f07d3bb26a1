// Two descriptor sets beside each other: what a program that speaks the older one could misunderstand of the newer one.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary, isFieldSet } from '@bufbuild/protobuf';
import { FieldDescriptorProto_Label, FieldDescriptorProto_Type, FieldDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** The descriptor set of a folder's walletwire/v1 files; protoc refuses what is no proto at all. */
export function compile(folder, files) {
  const out = mkdtempSync(join(tmpdir(), 'ww-proto-'));
  try {
    execFileSync('protoc', ['-I', folder, `--descriptor_set_out=${join(out, 'set')}`, ...files], { stdio: ['ignore', 'pipe', 'pipe'] });
    return read(join(out, 'set'));
  } finally {
    rmSync(out, { recursive: true });
  }
}

export const read = (path) => fromBinary(FileDescriptorSetSchema, readFileSync(path));

function* nested(prefix, message) {
  const name = `${prefix}.${message.name}`;
  yield ['message', name, message];
  for (const item of message.enumType) yield ['enum', `${name}.${item.name}`, item];
  for (const inner of message.nestedType) yield* nested(name, inner);
}

/** Messages and enums of a set, by "message walletwire.v1.Event". In which file they are is nobody's business. */
function typesOf(set) {
  const types = new Map();
  for (const file of set.file) {
    for (const message of file.messageType)
      for (const [kind, name, item] of nested(file.package, message)) types.set(`${kind} ${name}`, item);
    for (const item of file.enumType) types.set(`enum ${file.package}.${item.name}`, item);
  }
  return types;
}

const groupOf = (message, field) => (isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex) ? message.oneofDecl[field.oneofIndex].name : '');

// What both sides have to mean by a field: bytes on the wire, and the names that clients and `ww publish --json` use.
const shapeOf = (message, field) => ({
  name: field.name,
  'JSON name': field.jsonName,
  type: FieldDescriptorProto_Type[field.type] + field.typeName,
  label: FieldDescriptorProto_Label[field.label],
  oneof: groupOf(message, field),
});

// Ends of ranges are one further for messages, and the last number itself for enums.
const isReserved = ({ reservedRange, reservedName }, name, number, last) =>
  reservedName.includes(name) && reservedRange.some(({ start, end }) => start <= number && number <= end - last);

function* fieldBreaks(type, before, now) {
  for (const field of before.field) {
    const what = `${type}, field ${field.name} = ${field.number}`;
    const same = now.field.find(({ number }) => number === field.number);
    if (!same && !isReserved(now, field.name, field.number, 1)) yield `${what}: gone, and name and number are not reserved`;
    if (!same) continue;
    const [old, young] = [shapeOf(before, field), shapeOf(now, same)];
    for (const key of Object.keys(old)) if (old[key] !== young[key]) yield `${what}: ${key} was ${old[key] || 'none'}, is ${young[key] || 'none'}`;
  }
}

function* valueBreaks(type, before, now) {
  for (const { name, number } of before.value) {
    const same = now.value.find((value) => value.number === number);
    if (!same && !isReserved(now, name, number, 0)) yield `${type}, value ${name} = ${number}: gone, and name and number are not reserved`;
    if (same && same.name !== name) yield `${type}, value ${name} = ${number}: is called ${same.name}`;
  }
}

// What was given up once is not given out again.
function* reservedBreaks(type, before, now) {
  const last = type.startsWith('message') ? 1 : 0;
  for (const name of before.reservedName) if (!now.reservedName.includes(name)) yield `${type}: the name ${name} is not reserved any more`;
  for (const { start, end } of before.reservedRange)
    if (!now.reservedRange.some((range) => range.start <= start && end <= range.end)) yield `${type}: the numbers ${start} to ${end - last} are not reserved any more`;
}

/** One sentence for each thing that breaks. */
export function breaks(before, now) {
  const [old, young] = [typesOf(before), typesOf(now)];
  const found = [];
  for (const [type, item] of old) {
    const same = young.get(type);
    if (!same) {
      found.push(`${type}: gone`);
      continue;
    }
    found.push(...(type.startsWith('message') ? fieldBreaks(type, item, same) : valueBreaks(type, item, same)), ...reservedBreaks(type, item, same));
  }
  return found;
}

