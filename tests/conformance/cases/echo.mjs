// Raw Engine.IO on a WebSocket: what comes back unchanged, frames as no library writes them, what closes it.

import { BINARY, CLOSE, frame, PING, PONG, TEXT } from '../../e2e/raw.mjs';
import { wire } from '../case.mjs';
import { alive, begin, closes, ENGINE, frames, next, raw, send } from '../steps.mjs';

const LIMIT = 1_000_000;
const CONTINUATION = 0;
const code = (n) => Buffer.from([n >> 8, n & 0xff]);
const part = (opcode, bytes) => frame(opcode, bytes, { fin: false });

const engine = (name, steps, options) => wire(name, [begin('websocket', { base: ENGINE }), ...steps], options);

// [name, frames]: sent in one write; then everything that came, and the session lives.
const ECHOED = [
  ['one message', ['4hello']],
  ['an empty message', ['4']],
  ['messages in one segment', ['4a', '4b', '4c']],
  ['text beyond ASCII', ['4żółć €uro 😀']],
  ['control characters', ['4\x00\x01\n\x7f']],
  ['binary', [frame(BINARY, [1, 2, 3, 4])]],
  ['binary that starts like a packet', [frame(BINARY, '4abc')]],
  ['binary that starts with 0x04', [frame(BINARY, [4, 1, 2])]],
  ['an empty binary', [frame(BINARY, '')]],
  ['text and binary in turn', ['4a', frame(BINARY, [1]), '4b', frame(BINARY, [2])]],
  ['base64 in a text frame is binary', ['bAQIDBA==']],
  ['an empty base64', ['b']],
  ['base64 without padding', ['bAQIDBA']],
  ['text in two fragments', [part(TEXT, '4he'), frame(CONTINUATION, 'llo')]],
  [
    'text in fragments of one byte',
    [part(TEXT, '4'), ...[...'hell'].map((c) => part(CONTINUATION, c)), frame(CONTINUATION, 'o')],
  ],
  ['empty fragments', [part(TEXT, ''), part(CONTINUATION, '4x'), part(CONTINUATION, ''), frame(CONTINUATION, '')]],
  ['a character cut by a fragment', [part(TEXT, Buffer.from([0x34, 0xe2, 0x82])), frame(CONTINUATION, [0xac])]],
  ['binary in fragments', [part(BINARY, [1, 2]), part(CONTINUATION, [3]), frame(CONTINUATION, [4])]],
  ['a ping between fragments', [part(TEXT, '4he'), frame(PING, 'p'), frame(CONTINUATION, 'llo')]],
  ['a pong of RFC 6455 that nobody asked for', [frame(PONG, 'x'), '4x']],
  ['a message of 126 bytes', [`4${'x'.repeat(125)}`]],
  ['a message of 65536 bytes', [`4${'x'.repeat(65_535)}`]],
  ['binary of 100,000 bytes', [frame(BINARY, Buffer.alloc(100_000, 7))]],
  ['a message just within the limit', [`4${'x'.repeat(LIMIT - 1)}`]],
  ['open, upgrade and noop packets are ignored', ['0', '0{}', '5', '6', '4x']],
  ['a pong nobody asked for', ['3', '3probe', '4x']],
].map(([name, sent]) => engine(name, [send(...sent), alive()]));

// [name, frames]: the server closes.
const CLOSED = [
  ['an empty text frame', ['']],
  ['an unknown packet type', ['9x']],
  ['a letter as type', ['x4']],
  ['a ping of the client', ['2']],
  ['a probe on a session that is no upgrade', ['2probe']],
  ['text beyond the limit', [`4${'x'.repeat(LIMIT)}`]],
  ['binary beyond the limit', [frame(BINARY, Buffer.alloc(LIMIT + 1))]],
  ['fragments beyond the limit', [part(TEXT, `4${'x'.repeat(600_000)}`), frame(CONTINUATION, 'x'.repeat(600_000))]],
  ['text that is not UTF-8', [frame(TEXT, [0x34, 0xc3, 0x28])]],
  ['an unmasked frame', [frame(TEXT, '4x', { masked: false })]],
  ['a reserved bit', [frame(TEXT, '4x', { rsv: 4 })]],
  ['a reserved opcode', [frame(3, '4x')]],
  ['a continuation of nothing', [frame(CONTINUATION, '4x')]],
  ['a second start within a message', [part(TEXT, '4a'), frame(TEXT, '4b')]],
  ['a ping of 126 bytes', [frame(PING, 'x'.repeat(126))]],
  ['a close frame with 1000', [frame(CLOSE, code(1000))]],
  ['a close frame with 1001', [frame(CLOSE, code(1001))]],
  ['a close frame without a code', [frame(CLOSE, '')]],
  ['a close frame with half a code', [frame(CLOSE, 'x')]],
  ['a close frame with a code of an application', [frame(CLOSE, code(4001))]],
].map(([name, sent]) => engine(`closed: ${name}`, [send(...sent), closes()]));

export const echo = [
  ...ECHOED,
  ...CLOSED,
  engine('messages before the bad one are answered', [send('4a', '9'), closes()]),
  engine('a close packet', [raw('1'), closes('session', 1500)], {
    reference: [['still open']],
    ours: [['closed: 1005']],
    why: 'clients that send it are going; the reference keeps the socket until a ping is not answered',
  }),
  wire('b64=1: binary goes out as base64 in a text frame', [
    begin('websocket', { base: ENGINE, query: '&b64=1' }),
    send(frame(BINARY, [1, 2, 3]), 'bBAUG', '4x'),
    alive(),
  ]),
  wire('b64=1 of a polling session means nothing to its polls', [
    begin('polling', { base: ENGINE, query: '&b64=1' }),
    raw(Buffer.from([1, 2, 3]), '4x'),
    alive(),
  ]),
  wire('two sessions do not hear each other', [
    begin('websocket', { base: ENGINE }),
    send('4a'),
    next(1),
    begin('websocket', { base: ENGINE }),
    frames('session'),
    alive(),
  ]),
];
