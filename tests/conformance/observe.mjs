// Runs the steps of a case against one peer and returns what was seen, without what is different each time.

import { createHash } from 'node:crypto';
import notepack from 'notepack.io';

const LONG = 300;
const LOOKED_AT = /^(content-type|access-control-.*|sec-websocket-protocol)$/;

// Ids are opaque, but they have to fit into an URL as they are.
const withoutIds = (text) => text.replace(/"(sid|pid)":"[\w.~-]+"/g, '"$1":"<$1>"');

function short(text) {
  if (text.length <= LONG) return text;
  return `${text.slice(0, 20)}... ${text.length} characters, sha1 ${createHash('sha1').update(text).digest('hex')}`;
}

// An answer to HTTP, or to a WebSocket handshake. `look`: more headers; `only`: nothing but these (none: the
// answer is waited for and not looked at).
export function seenAnswer(answer, { look = [], only } = {}) {
  if (only?.length === 0) return undefined;
  const { status, headers, body = '', isAccepted } = answer;
  if (typeof status === 'string') return status;
  const seen = { status };
  for (const [name, value] of Object.entries(headers)) {
    const wanted = LOOKED_AT.test(name) || look.includes(name);
    if (wanted && (name !== 'content-type' || body)) seen[name] = value; // of an empty body it tells nothing
  }
  if (isAccepted === false) seen.accept = 'wrong';
  if (status !== 101) seen.body = short(withoutIds(body));
  return only ? Object.fromEntries(only.map((name) => [name, seen[name]])) : seen;
}

// A value of MessagePack in JSON's terms; what is undefined is as good as absent.
function plain(value) {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `hex:${Buffer.from(value).toString('hex')}`;
  if (value instanceof Date) return `date:${value.toISOString()}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  const pairs = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(pairs.map(([key, each]) => [key, key === 'sid' ? '<sid>' : plain(each)]));
}

function unpacked(bytes) {
  try {
    return plain(notepack.decode(bytes));
  } catch {
    return `hex:${bytes.toString('hex')}`;
  }
}

const STRINGS = /"(\\.|[^"\\])*"/g;

// The same value can be written in more than one way ("1e3", "\\/"), but not with white space between.
function sameWriting(json) {
  if (/\s/.test(json.replace(STRINGS, ''))) return json;
  try {
    return JSON.stringify(JSON.parse(json));
  } catch {
    return json;
  }
}

// A packet of Socket.IO as text: what stands before the JSON counts to the letter.
const socketIoText = (text) =>
  text.replace(/^(4\d(?:\d+-)?(?:\/[^,]*,)?\d*)([[{"].*)$/s, (_, head, json) => head + sameWriting(json));

function seenPacket(packet, { parser, base }) {
  const isSocketIo = base === '/socket.io/';
  if (typeof packet === 'string') return short(withoutIds(isSocketIo ? socketIoText(packet) : packet));
  return isSocketIo && parser === 'msgpack' ? unpacked(packet) : short(`hex:${packet.toString('hex')}`);
}

const PLACEHOLDER = /\{"_placeholder":true,"num":(\d+)\}/g;

// A header of Socket.IO with its attachments, as a client puts it together: which attachment has which number,
// and whether one that is used twice is sent twice, is nobody's business.
function whole(packets, at) {
  const [, head, count, rest] = /^(4[56])(\d+)-(.*)$/s.exec(packets[at]) ?? [];
  const attachments = packets.slice(at + 1, at + 1 + Number(count));
  if (!head || attachments.length < count || !attachments.every(Buffer.isBuffer)) return undefined;
  const text = rest.replace(PLACEHOLDER, (_, num) => `"hex:${attachments[num]?.toString('hex')}"`);
  return { text: `${head}-${text}`, count: attachments.length };
}

export function seenPackets(packets, run) {
  const seen = [];
  for (let at = 0; at < packets.length; at++) {
    const made = run.base === '/socket.io/' && typeof packets[at] === 'string' ? whole(packets, at) : undefined;
    seen.push(seenPacket(made ? made.text : packets[at], run));
    at += made?.count ?? 0;
  }
  return seen;
}

// What the steps of one run share.
class Run {
  constructor(port, parser) {
    this.port = port;
    this.parser = parser;
    this.base = '/socket.io/'; // or /engine.io/: where its session is
    this.exchanges = new Map(); // requests that were not answered at once
    this.sockets = new Map(); // WebSockets that are not the session itself
    this.closers = [];
  }

  release() {
    for (const close of this.closers) close();
  }
}

// The list of what the steps saw; a step that only arranges something sees nothing.
export async function observe({ steps, parser }, port) {
  const run = new Run(port, parser);
  const seen = [];
  try {
    for (const step of steps) {
      const value = await step(run);
      if (value !== undefined) seen.push(value);
    }
  } finally {
    run.release();
  }
  return seen;
}
