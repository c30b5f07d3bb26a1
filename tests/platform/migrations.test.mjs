// Migrations only go forward, what was released of them never changes, and the release before lives with each of them.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { faults, RULES } from './migrations.mjs';
import { ROOT } from './render.mjs';

const SERVICES = ['chat', 'notifications', 'presence'];
const FILES = SERVICES.flatMap((service) => readdirSync(join(ROOT, 'services', service, 'schema')).map((name) => `services/${service}/schema/${name}`)).sort();

const read = (path) => readFileSync(join(ROOT, path), 'utf8');
const lines = (path) => read(path).split('\n').filter((line) => line && !line.startsWith('#'));
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

// [file, hash] of what was released.
const released = lines('compat/migrations.sha256').map((line) => line.split('  ').reverse());
// [file, rule, why] of what is let through all the same.
const exceptions = lines('compat/migrations.exceptions').map((line) => /^(\S+) +(\S+) +(.+)$/.exec(line).slice(1));

test('what was released of migrations is as it was', () => {
  assert.ok(released.length > 0);
  for (const [file, hash] of released) {
    assert.ok(FILES.includes(file), `${file} was released, and is gone`);
    assert.equal(sha256(read(file)), hash, `${file} was released, and changed: programs that are at work have the old text. Add a migration`);
  }
});

test('a new migration comes after all that were released', () => {
  for (const service of SERVICES) {
    const own = (files) => files.filter((file) => file.startsWith(`services/${service}/`));
    const old = own(released.map(([file]) => file));
    assert.deepEqual(own(FILES).slice(0, old.length), old.sort(), service);
    for (const [i, file] of own(FILES).entries()) assert.match(file, new RegExp(`/${String(i + 1).padStart(3, '0')}_[a-z0-9_]+\\.sql$`));
  }
});

for (const file of FILES) {
  test(`the release before lives with ${file}`, () => {
    const allowed = exceptions.filter(([name]) => name === file).map(([, rule]) => rule);
    const found = faults(read(file));
    for (const rule of found) assert.ok(allowed.includes(rule), `${file}: ${rule}: ${RULES[rule]}`);
    assert.deepEqual(allowed.filter((rule) => !found.includes(rule)), [], 'exceptions that nothing needs');
  });
}

test('every exception is of a file that is there, by a rule that is there, and says why', () => {
  for (const [file, rule, why] of exceptions) {
    assert.ok(FILES.includes(file), file);
    assert.ok(RULES[rule], `${file}: ${rule}`);
    assert.ok(why.length > 20, `${file}: ${why}`);
  }
});

const TABLE = 'CREATE TABLE s.fresh (a text);';
// [what stands in a migration, which rules it breaks].
const CASES = [
  ['CREATE TABLE s.t (a text NOT NULL CHECK (a <> \'\')); CREATE UNIQUE INDEX ON s.t (a)', []],
  ['ALTER TABLE s.t ADD COLUMN a text', []],
  ["ALTER TABLE s.t ADD COLUMN a text NOT NULL DEFAULT '', ADD b boolean NOT NULL DEFAULT false", []],
  ['ALTER TABLE s.t ADD a timestamptz NOT NULL DEFAULT now()', []],
  ['ALTER TABLE s.t ADD CONSTRAINT c CHECK (a > 0) NOT VALID', []],
  ['ALTER TABLE s.t ALTER COLUMN a DROP NOT NULL, ALTER b SET DEFAULT 3', []],
  ['CREATE INDEX IF NOT EXISTS i ON s.t (a)', []],
  ['DROP INDEX s.i; INSERT INTO s.t VALUES (1)', []],
  ["-- One who's away; DROP TABLE s.t;\nINSERT INTO s.t VALUES ('a -- ''b'' ;')", []],
  ['CREATE FUNCTION s.f() RETURNS void LANGUAGE sql AS $$ DELETE FROM s.t; $$', []],
  [`${TABLE} UPDATE s.fresh SET a = 'DROP TABLE s.t'; CREATE INDEX ON s.fresh (a); ALTER TABLE s.fresh ALTER a SET NOT NULL`, []],
  ['DROP TABLE s.t', ['drop']],
  ['DROP VIEW s.v', ['drop']],
  ['ALTER TABLE s.t DROP COLUMN a', ['drop']],
  ['ALTER TABLE s.t DROP a', ['drop']],
  ['ALTER TABLE s.t ADD b text, DROP COLUMN a', ['drop']],
  ['ALTER TABLE s.t RENAME TO u', ['rename']],
  ['ALTER TABLE s.t RENAME COLUMN a TO b', ['rename']],
  ['ALTER TABLE s.t ALTER COLUMN a TYPE bigint', ['type']],
  ['ALTER TABLE s.t ADD COLUMN a text NOT NULL', ['not-null']],
  ['ALTER TABLE s.t ALTER a SET NOT NULL', ['not-null']],
  ['ALTER TABLE s.t ALTER COLUMN a DROP DEFAULT', ['not-null']],
  ['ALTER TABLE s.t ADD a timestamptz DEFAULT clock_timestamp()', ['rewrite']],
  ['ALTER TABLE s.t ADD a bigint GENERATED ALWAYS AS IDENTITY', ['rewrite']],
  ['ALTER TABLE s.t ADD CONSTRAINT c CHECK (a > 0)', ['constraint']],
  ['ALTER TABLE s.t ADD a integer DEFAULT 1 CHECK (a > 0)', ['constraint']],
  ['ALTER TABLE s.t ADD UNIQUE (a)', ['constraint']],
  ['CREATE UNIQUE INDEX IF NOT EXISTS i ON s.t (a)', ['constraint']],
  ['CREATE INDEX i ON s.t USING gin (a)', ['index']],
  ['UPDATE s.t SET a = 1', ['rows']],
  ['DELETE FROM s.t', ['rows']],
  ['TRUNCATE s.t', ['rows']],
  ['CREATE OR REPLACE FUNCTION s.f() RETURNS void LANGUAGE sql AS $$ $$', ['replace']],
  ['LOCK TABLE s.t', ['lock']],
  ['CREATE INDEX CONCURRENTLY i ON s.t (a)', ['transaction']],
  ['COMMIT', ['transaction']],
  ['ALTER TABLE s.t DISABLE TRIGGER ALL', ['unknown']],
  ['DO $$ BEGIN END $$', ['unknown']],
  ['DROP TABLE s.t; UPDATE s.u SET a = 1; DROP TABLE s.v', ['drop', 'rows']],
];

test('each fault is found, and what is none is not', async (t) => {
  for (const [sql, wanted] of CASES) await t.test(sql, () => assert.deepEqual(faults(sql), wanted));
  assert.deepEqual(Object.keys(RULES).filter((rule) => !CASES.some(([, wanted]) => wanted.includes(rule))), [], 'rules without a case');
});
