// Programs of two releases understand each other: messages change only in ways that the older one can ignore.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { breaks, compile, read } from './descriptors.mjs';
import { ROOT } from './render.mjs';

const PROTO = join(ROOT, 'proto');
const FILES = readdirSync(join(PROTO, 'walletwire/v1')).map((name) => `walletwire/v1/${name}`);
const RELEASED = join(ROOT, 'compat/proto.binpb');

test('messages are those of the last release, and what was added to them', () => {
  assert.deepEqual(breaks(read(RELEASED), compile(PROTO, FILES)), []);
});

// A small contract, and what becomes of it: [what is done to it, from, to, what is found].
const BEFORE = `syntax = "proto3"; package walletwire.v1;
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; COLOR_BLUE = 2; reserved 7; reserved "COLOR_PINK"; }
message Part { string id = 1; }
message Thing {
  reserved 9; reserved "weight";
  string id = 1; int64 count = 2; Color color = 3; Part part = 4; repeated string names = 5;
  oneof body { string text = 6; bytes data = 7; }
  message Inner { enum Mood { MOOD_UNSPECIFIED = 0; MOOD_GOOD = 1; } Mood mood = 1; }
}
message Other { string id = 1; }
`;
const CHANGES = [
  ['nothing', '', '', []],
  ['a field is added', 'string id = 1; int64', 'string id = 1; string more = 20; int64', []],
  ['a value is added', 'COLOR_BLUE = 2;', 'COLOR_BLUE = 2; COLOR_GREEN = 3;', []],
  ['a message is added', 'message Other', 'message New { string id = 1; } message Other', []],
  ['a field goes and is reserved', 'int64 count = 2;', 'reserved 2; reserved "count";', []],
  ['a value goes and is reserved', 'COLOR_BLUE = 2;', 'reserved 2; reserved "COLOR_BLUE";', []],
  ['a field is added to a oneof', 'bytes data = 7;', 'bytes data = 7; int64 sum = 8;', []],
  ['a field is renumbered', 'int64 count = 2;', 'int64 count = 10;', ['Thing, field count = 2: gone, and name and number are not reserved']],
  ['a field goes', 'int64 count = 2;', '', ['Thing, field count = 2: gone, and name and number are not reserved']],
  ['a field goes, its number alone is reserved', 'int64 count = 2;', 'reserved 2;', ['Thing, field count = 2: gone, and name and number are not reserved']],
  ['a number is given to another field', 'int64 count = 2;', 'int64 total = 2;', ['Thing, field count = 2: name was count, is total', 'Thing, field count = 2: JSON name was count, is total']],
  ['a type changes', 'int64 count = 2;', 'string count = 2;', ['Thing, field count = 2: type was INT64, is STRING']],
  ['a message type changes', 'Part part = 4;', 'Other part = 4;', ['Thing, field part = 4: type was MESSAGE.walletwire.v1.Part, is MESSAGE.walletwire.v1.Other']],
  ['a field becomes repeated', 'string id = 1; int64', 'repeated string id = 1; int64', ['Thing, field id = 1: label was OPTIONAL, is REPEATED']],
  ['a field is repeated no more', 'repeated string names = 5;', 'string names = 5;', ['Thing, field names = 5: label was REPEATED, is OPTIONAL']],
  ['a JSON name changes', 'int64 count = 2;', 'int64 count = 2 [json_name = "n"];', ['Thing, field count = 2: JSON name was count, is n']],
  ['a field leaves its oneof', 'bytes data = 7; }', '} bytes data = 7;', ['Thing, field data = 7: oneof was body, is none']],
  ['a value goes', 'COLOR_BLUE = 2;', '', ['Color, value COLOR_BLUE = 2: gone, and name and number are not reserved']],
  ['a value is renamed', 'COLOR_BLUE = 2;', 'COLOR_GREEN = 2;', ['Color, value COLOR_BLUE = 2: is called COLOR_GREEN']],
  ['a value within a message goes', ' MOOD_GOOD = 1;', '', ['Thing.Inner.Mood, value MOOD_GOOD = 1: gone, and name and number are not reserved']],
  ['a message goes', 'message Other { string id = 1; }', '', ['message walletwire.v1.Other: gone']],
  ['a reserved number is given out', 'reserved 9; ', 'string heavy = 9; ', ['Thing: the numbers 9 to 9 are not reserved any more']],
  ['a reserved name is given out', 'reserved "weight";', 'string weight = 11;', ['Thing: the name weight is not reserved any more']],
  ['a reserved value is given out', 'reserved 7; reserved "COLOR_PINK";', 'COLOR_PINK = 7;', ['Color: the name COLOR_PINK is not reserved any more', 'Color: the numbers 7 to 7 are not reserved any more']],
];

const compiled = (text) => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-contract-'));
  try {
    writeFileSync(join(folder, 'thing.proto'), text);
    return compile(folder, ['thing.proto']);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

test('each way to break a contract is found, and each way to add to it is none', async (t) => {
  const before = compiled(BEFORE);
  for (const [what, from, to, wanted] of CHANGES)
    await t.test(what, () => {
      assert.ok(BEFORE.includes(from));
      assert.deepEqual(breaks(before, compiled(BEFORE.replace(from, to))).map((line) => line.replace(/^\w+ walletwire\.v1\.(?!Other)/, '')), wanted);
    });
});

test('a field of our own that goes, or changes, is found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ww-contract-'));
  try {
    cpSync(PROTO, folder, { recursive: true });
    const path = join(folder, 'walletwire/v1/event.proto');
    const text = readFileSync(path, 'utf8');
    const field = /^ {2}repeated string user_ids = (\d+);.*\n/m;
    assert.match(text, field);
    writeFileSync(path, text.replace(field, ''));
    assert.match(breaks(read(RELEASED), compile(folder, FILES)).join('\n'), /Event, field user_ids = \d+: gone/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
