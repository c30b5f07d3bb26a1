// Writes what clients/ has of proto/: the types of what clients see, in the JSON mapping of the edge; the table of
// ways to fail; and the protobuf messages of the back-end package. Nothing of it is committed, so nothing can drift.
//
//   node scripts/generate.mjs [--help]

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFileRegistry, fromBinary, ScalarType } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const CLIENTS = join(dirname(fileURLToPath(import.meta.url)), '..');
const PROTO = join(CLIENTS, '..', 'proto');
const PACKAGE = 'walletwire.v1.';
const FILES = ['sensitivity', 'client', 'notifications', 'presence', 'chat', 'event', 'delivery', 'common'].map(
  (name) => `walletwire/v1/${name}.proto`,
);
const HEADER = '// Generated from proto/ by clients/scripts/generate.mjs.\n';

// Names of events that are not their wire name in camel case.
const SHORT = {
  'notifications:unread': 'unread',
  'notifications:changed': 'inboxChanged',
  'presence:update': 'presence',
  'presence:friends': 'friends',
  'chat:typing': 'typing',
};
// Sent by the edge about the connection itself, hence in no table of deliveries.
const CONNECTION = { 'auth:expiring': 'TokenEnd', 'server:drain': 'ServerDrain' };
// Set by the edge and refused from clients, or what an acknowledgement says by `ok`.
const HIDDEN = new Set(['caller', 'error', 'position', 'announcement_position']);
// What no event comes without, though its type could do without it: events without one are refused at ingest, or the
// edge sets it.
const ALWAYS = new Set([
  'available_balance',
  'timestamp',
  'created_at',
  'TokenEnd.expires_at',
  'Transaction.amount',
  'Money.amount',
]);
// Answers and questions that the SDK has a verb for.
const VERBS =
  /^(List|Select|Unread|Track|Balances|PresenceGet|PresenceFriends|PresencePrivacy|Chat\w+)(Request|Reply)$/;
const BACKEND_ONLY = /^Chat(View|Hold|Export|Erase)/;

const camel = (event) => SHORT[event] ?? event.replace(/:(.)/g, (_, letter) => letter.toUpperCase());
const quoted = (word) => `'${word}'`;

function protoc(args) {
  return execFileSync('protoc', ['-I', PROTO, ...args, ...FILES], { maxBuffer: 1 << 26 });
}

function readRegistry() {
  const folder = mkdtempSync(join(tmpdir(), 'ww-proto-'));
  try {
    protoc(['--include_imports', `--descriptor_set_out=${join(folder, 'set')}`]);
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(join(folder, 'set'))));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// The rows X(a, "b", C) of a .def table.
function readTable(name) {
  const rows = readFileSync(join(PROTO, name), 'utf8').matchAll(/^X\(((?:[^()"]|"[^"]*")*)\)/gm);
  return [...rows].map(([, row]) => row.match(/"[^"]*"|[^,\s]+/g).map((cell) => cell.replace(/^"|"$/g, '')));
}

// --- types, as the edge renders them ---

function enumType(desc) {
  return [
    ...desc.values.filter(({ number }) => number !== 0).map(({ localName }) => quoted(localName.toLowerCase())),
    "''",
  ].join(' | ');
}

function typeOfMessage(desc, wanted) {
  if (desc.typeName === 'google.protobuf.Timestamp') return 'string';
  if (desc.typeName === `${PACKAGE}Decimal`) return 'number';
  if (desc.typeName === `${PACKAGE}StringList`) return 'string[]';
  wanted.add(desc);
  return desc.name;
}

function typeOfScalar(scalar) {
  if (scalar === ScalarType.STRING) return 'string';
  if (scalar === ScalarType.BOOL) return 'boolean';
  return 'number';
}

function typeOf(field, wanted) {
  const one = field.message
    ? typeOfMessage(field.message, wanted)
    : field.enum
      ? (wanted.add(field.enum), field.enum.name)
      : typeOfScalar(field.scalar ?? ScalarType.STRING);
  if (field.fieldKind === 'map') return `Record<string, ${one}>`;
  return field.fieldKind === 'list' ? `${one}[]` : one;
}

// Words, numbers and lists always stand in what the edge says; nothing has to in what it is asked.
function isOptional(field, message) {
  if (ALWAYS.has(field.name) || ALWAYS.has(`${message.name}.${field.name}`)) return false;
  return message.name.endsWith('Request') || field.fieldKind === 'message' || field.oneof !== undefined;
}

function messageText(desc, wanted) {
  const lines = desc.fields
    .filter((field) => !HIDDEN.has(field.name))
    .map((field) => `  ${field.jsonName}${isOptional(field, desc) ? '?' : ''}: ${typeOf(field, wanted)};`);
  return lines.length > 0
    ? `export interface ${desc.name} {\n${lines.join('\n')}\n}`
    : `export type ${desc.name} = Record<string, never>;`;
}

// All that the roots need, each once, in the order they are met.
function typesText(roots, text = []) {
  const wanted = new Set(roots);
  for (const desc of wanted) {
    if (desc.kind === 'enum') text.push(`export type ${desc.name} = ${enumType(desc)};`);
    else if (desc.name !== 'Payload') text.push(messageText(desc, wanted));
  }
  return text.join('\n\n');
}

// --- the table of events ---

function readEvents(registry) {
  const payload = registry.getMessage(`${PACKAGE}Payload`);
  const published = new Set(registry.getMessage(`${PACKAGE}Event`).fields.map(({ name }) => name));
  return readTable('events.def').map(([kind, event, delivery]) => {
    const { message } = payload.fields.find(({ name }) => name === kind);
    const ends = delivery === 'STATE' && message.fields.some(({ name }) => name === 'final');
    // What a back end publishes and is kept goes to the inbox; of a transfer, its end.
    const inbox = published.has(kind) && delivery !== 'STATE' ? 'always' : ends ? 'final' : 'never';
    return { kind, event, delivery: delivery.toLowerCase(), message, inbox, name: camel(event) };
  });
}

const NOTIFICATION = {
  always: ' & { notification: Notification }',
  final: ' & { notification?: Notification }',
  never: '',
};

function eventsText(events) {
  const rows = events.map(({ name, message, inbox }) => `  ${name}: ${message.name}${NOTIFICATION[inbox]};`);
  const own = Object.entries(CONNECTION).map(([event, type]) => `  ${camel(event)}: ${type};`);
  const wires = events.map(
    ({ event, name, delivery, inbox }) =>
      `  '${event}': { name: '${name}', delivery: '${delivery}', inbox: '${inbox}' },`,
  );
  const inbox = events.filter((one) => one.inbox !== 'never');
  const items = inbox.map(({ event, message }) => `  | InboxItem<'${event}', ${message.name}>`);
  return `/** What each event brings, by its name in this package. */
export interface ServerEvents {
${rows.join('\n')}
${own.join('\n')}
}

export interface InboxItem<Event extends string, Data> {
  event: Event;
  data: Data;
  notification: Notification;
  state: InboxState;
  readAt?: string;
}

/** An item of the inbox: which event it came as, what that said, and where it stands. */
export type NotificationItem =
${items.join('\n')};

export interface WireEvent {
  name: keyof ServerEvents;
  delivery: 'keep' | 'state' | 'hint' | 'log';
  /** Whether it is an item of the inbox; of a transfer only its end is. */
  inbox: 'always' | 'final' | 'never';
}

export const WIRE_EVENTS: Readonly<Record<string, WireEvent>> = {
${wires.join('\n')}
};
`;
}

function statusText() {
  const rows = readTable('status.def');
  const table = rows.map(([, wire, temporary]) => `  ${wire}: ${temporary},`);
  return `${HEADER}
/** The codes of an answer, and whether the same request may succeed later. */
export const STATUS_TEMPORARY = {
${table.join('\n')}
} as const;

export type StatusCode = keyof typeof STATUS_TEMPORARY;
`;
}

function writeClient(registry) {
  const folder = join(CLIENTS, 'web', 'src', 'generated');
  const events = readEvents(registry);
  const all = [...registry].filter((desc) => desc.kind === 'message' && desc.typeName.startsWith(PACKAGE));
  const verbs = all.filter(({ name }) => VERBS.test(name) && !BACKEND_ONLY.test(name) && name !== 'ListReply');
  const own = ['Notification', ...Object.values(CONNECTION)].map((name) => registry.getMessage(PACKAGE + name));
  const states = registry.getEnum(`${PACKAGE}InboxState`);
  const types = typesText([...events.map(({ message }) => message), ...own, states, ...verbs]);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'events.ts'), `${HEADER}\n${eventsText(events)}\n${types}\n`);
  writeFileSync(join(folder, 'status.ts'), statusText());
}

function writeBackend() {
  const folder = join(CLIENTS, 'backend', 'src', 'generated');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const plugin = join(CLIENTS, 'node_modules', '.bin', 'protoc-gen-es');
  protoc([`--plugin=protoc-gen-es=${plugin}`, `--es_out=${folder}`, '--es_opt=target=ts,import_extension=js']);
}

if (process.argv.includes('--help')) {
  console.log(
    'node scripts/generate.mjs: writes web/src/generated and backend/src/generated from ../proto (needs protoc)',
  );
} else {
  writeClient(readRegistry());
  writeBackend();
}
