// What a migration may do while programs of the release before are still at work, and while people wait: judged by its
// text. What is not known here is not let through.

/** Statements without comments, bodies of functions and texts, in single spaces: 'CREATE TABLE a (b text DEFAULT '')'. */
export function statements(sql) {
  const bare = sql.replace(/\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|--.*/g, (text) => (text.startsWith('--') ? '' : "''"));
  return bare
    .split(';')
    .map((text) => text.replace(/\s+/g, ' ').trim())
    .filter(Boolean);
}

/** The parts of a list at commas that stand in no parentheses. */
function parts(text) {
  const found = [''];
  let depth = 0;
  for (const c of text) {
    if (c === '(') depth++;
    if (c === ')') depth--;
    if (c === ',' && depth === 0) found.push('');
    else found[found.length - 1] += c;
  }
  return found.map((part) => part.trim());
}

const NAME = '([\\w."]+)';
const STABLE = /^(''|-?[\d.]+|true|false|null|now\(\)|current_timestamp)/i;

// [rule, what an action of ALTER TABLE looks like]; the first that fits counts, '' is fine.
const ACTIONS = [
  ['drop', /^DROP (COLUMN |(?!CONSTRAINT|NOT))/i],
  ['', /^DROP CONSTRAINT /i],
  ['rename', /^RENAME /i],
  ['type', /^ALTER (COLUMN )?\S+ (SET DATA )?TYPE /i],
  ['not-null', /^ALTER (COLUMN )?\S+ (SET NOT NULL|DROP DEFAULT)/i],
  ['', /^ALTER (COLUMN )?\S+ (DROP NOT NULL|SET DEFAULT|SET STATISTICS|SET STORAGE)/i],
  ['', /^ADD CONSTRAINT .* NOT VALID$/i],
  ['constraint', /^ADD (CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)/i],
  ['', /^(SET \(|RESET \()/i],
];

function* columnFaults(action) {
  const [, definition] = /^ADD (?:COLUMN )?(?:IF NOT EXISTS )?\S+ (.*)$/i.exec(action);
  const [, value] = /\bDEFAULT (.*)/i.exec(definition) ?? [];
  if (/\bNOT NULL\b/i.test(definition) && value === undefined) yield 'not-null';
  if ((value !== undefined && !STABLE.test(value)) || /\bGENERATED\b/i.test(definition)) yield 'rewrite';
  if (/\b(CHECK|UNIQUE|PRIMARY KEY|REFERENCES)\b/i.test(definition)) yield 'constraint';
}

function* actionFaults(action) {
  const known = ACTIONS.find(([, pattern]) => pattern.test(action));
  if (known) yield known[0];
  else if (/^ADD /i.test(action)) yield* columnFaults(action);
  else yield 'unknown';
}

function* alterFaults(statement, fresh) {
  const [, table, list] = new RegExp(`^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?${NAME} (.*)$`, 'i').exec(statement);
  if (!fresh.has(table)) for (const action of parts(list)) yield* actionFaults(action);
}

function* indexFaults(statement, fresh) {
  const [, unique, ifNotExists, table] = new RegExp(`^CREATE (UNIQUE )?INDEX (IF NOT EXISTS )?.*?\\bON (?:ONLY )?${NAME}`, 'i').exec(statement);
  if (fresh.has(table)) return;
  if (unique) yield 'constraint';
  if (!ifNotExists) yield 'index';
}

function* writeFaults(statement, fresh) {
  const [, table] = new RegExp(`^(?:UPDATE|DELETE FROM|TRUNCATE(?: TABLE)?) (?:ONLY )?${NAME}`, 'i').exec(statement);
  if (!fresh.has(table)) yield 'rows';
}

const none = function* () {};
const always = (rule) =>
  function* () {
    yield rule;
  };

// [how a statement begins, what is wrong with it]. The first that fits counts.
const STATEMENTS = [
  [/^(BEGIN|COMMIT|ROLLBACK|START TRANSACTION)\b|\bCONCURRENTLY\b/i, always('transaction')],
  [/^CREATE (TABLE|SCHEMA|SEQUENCE|TYPE|VIEW|FUNCTION)\b/i, none],
  [/^CREATE (UNIQUE )?INDEX\b/i, indexFaults],
  [/^CREATE OR REPLACE\b/i, always('replace')],
  [/^ALTER TABLE\b/i, alterFaults],
  [/^(INSERT INTO|COMMENT ON|DROP INDEX|GRANT|SELECT setval)\b/i, none],
  [/^(UPDATE|DELETE FROM|TRUNCATE)\b/i, writeFaults],
  [/^DROP (TABLE|VIEW|MATERIALIZED VIEW|FUNCTION|SCHEMA|TYPE|SEQUENCE)\b/i, always('drop')],
  [/^(LOCK|CLUSTER|REINDEX|VACUUM|REFRESH)\b/i, always('lock')],
];

/** What each rule is about, as docs/operations.md tells it. */
export const RULES = {
  drop: 'the release before still reads it',
  rename: 'the release before knows the old name',
  type: 'rewrites the table under a lock, and the release before may send what does not fit',
  'not-null': 'the release before leaves it out of its INSERTs',
  rewrite: 'a default that differs from row to row rewrites the table under a lock',
  constraint: 'the release before may write what it refuses; NOT VALID, or a later release',
  index: 'writers wait while it is made: IF NOT EXISTS, so that it can be made CONCURRENTLY beforehand',
  rows: 'rewrites rows in one transaction: a program does it in bites',
  replace: 'the release before calls it: a new name',
  lock: 'everybody waits',
  transaction: 'a migration is one transaction, with its own row',
  unknown: 'no rule knows it',
};

/** The rules that a migration breaks, each once. */
export function faults(sql) {
  const fresh = new Set();
  const found = new Set();
  for (const statement of statements(sql)) {
    const [, judge] = STATEMENTS.find(([pattern]) => pattern.test(statement)) ?? [null, always('unknown')];
    for (const rule of judge(statement, fresh)) if (rule) found.add(rule);
    const [, made] = new RegExp(`^CREATE TABLE (?:IF NOT EXISTS )?${NAME}`, 'i').exec(statement) ?? [];
    if (made) fresh.add(made);
  }
  return [...found];
}
