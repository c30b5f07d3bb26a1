// HTTP long-polling: payloads, and requests that come twice, too late or not at all.

import { wire } from '../case.mjs';
import { accepted, polled, refused } from '../expected.mjs';
import {
  abort,
  alive,
  answer,
  begin,
  continued,
  early,
  ENGINE,
  fetched,
  get,
  getAny,
  join,
  more,
  park,
  post,
  say,
  startPost,
} from '../steps.mjs';

const LIMIT = 1_000_000;

const CUT = Buffer.concat(['2\r\n4', [0xe2], '\r\n2\r\n', [0x82, 0xac], '\r\n0\r\n\r\n'].map((part) => Buffer.from(part)));

const engine = (name, steps, options) => wire(name, [begin('polling', { base: ENGINE }), ...steps], options);

const payloads = [
  engine('one message', [post('4hello', { look: ['cache-control', 'content-length'] }), get({ look: ['cache-control'] })]),
  engine('several packets in one body', [post('4a\x1e4b\x1e4c'), get()]),
  engine('several bodies before a poll', [post('4a'), post('4b'), post('4c'), get()]),
  engine('an empty message', [post('4'), get()]),
  engine('text beyond ASCII', [post('4żółć €uro 😀'), get()]),
  engine('text with quotes and control characters', [post('4"\\\t\r\n\x01"'), get()]),
  engine('binary', [post('bAQIDBA=='), get()]),
  engine('an empty binary', [post('b'), get()]),
  engine('text and binary in turn', [post('4a\x1ebAQID\x1e4b\x1ebBAUG'), get()]),
  engine('base64 that looks like a packet', [post('b4444'), get()]),
  engine('base64 without padding', [post('bAQIDBA'), get()]),
  engine('a poll that waits is answered by a post', [park(), post('4x'), answer()]),
  engine('a poll that waits gets what a body brings', [park(), post('4a\x1ebAQID\x1e4b'), fetched(), alive()]),
  engine('a body of application/x-www-form-urlencoded', [
    post('4x', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
    get(),
  ]),
  engine('a body of text/plain', [post('4x', { headers: { 'Content-Type': 'text/plain;charset=UTF-8' } }), get()]),
  engine('a body in chunks', [
    post('3\r\n4he\r\n5\r\nllo\x1e4\r\n1\r\nx\r\n0\r\n\r\n', { headers: { 'Transfer-Encoding': 'chunked' } }),
    get(),
  ]),
  engine('a character cut by the chunks', [post(CUT, { headers: { 'Transfer-Encoding': 'chunked' } }), get()]),
  engine('Expect: 100-continue', [
    startPost('', 2, { headers: { Expect: '100-continue' } }),
    continued(),
    more('4x'),
    answer('post'),
    get(),
  ]),
  engine('a body that comes slowly', [startPost('4he', 6), more('ll'), more('o'), answer('post'), get()]),
  engine('a large message', [post(`4${'x'.repeat(200_000)}`), get()]),
  engine('a body just within the limit', [post(`4${'x'.repeat(LIMIT - 1)}`), get()]),
  engine('40 packets in one body', [post(Array.from({ length: 40 }, (_, i) => `4${i}`).join('\x1e')), alive()]),
  engine('compression is not forced on anybody', [post(`4${'y'.repeat(5000)}`), get({ look: ['content-encoding'] })]),
];

const noops = [
  engine('open, upgrade and noop packets are ignored', [post('0'), post('5'), post('6'), post('0{}\x1e6\x1e4x'), get(), alive()]),
  engine('a pong nobody asked for', [post('3'), post('3probe'), alive()]),
];

const BAD = [
  ['an empty body', ''],
  ['an unknown packet type', '9x'],
  ['a letter as type', 'x'],
  ['a separator at the end', '4a\x1e'],
  ['a separator at the start', '\x1e4a'],
  ['a byte order mark', '\ufeff4a'],
];

const bad = BAD.map(([name, body]) =>
  engine(`${name} ends the session`, [post(body, { only: ['status'] }), get({ only: ['status', 'body'] })], {
    reference: [{ status: 200 }, { status: 400, body: '{"code":1,"message":"Session ID unknown"}' }],
    ours: [{ status: 400 }, { status: 400, body: '{"code":1,"message":"Session ID unknown"}' }],
    why: 'the protocol wants 400 for a payload that cannot be read; the reference says ok and closes',
  }),
);

const ends = [
  engine('a ping of the client ends the session', [post('2', { only: [] }), get()]),
  engine('a probe without an upgrade ends the session', [post('2probe', { only: [] }), get()]),
  engine('application/octet-stream ends the session', [
    post('4x', { headers: { 'Content-Type': 'application/octet-stream' } }),
    get(),
  ]),
  engine('a body beyond the limit is refused', [post(`4${'x'.repeat(LIMIT)}`), alive()]),
  engine('chunks beyond the limit are refused', [
    post(`${(LIMIT + 10).toString(16)}\r\n4${'x'.repeat(LIMIT + 9)}\r\n0\r\n\r\n`, {
      headers: { 'Transfer-Encoding': 'chunked' },
    }),
    alive(),
  ]),
  engine('two polls at a time end the session', [park('one'), park('two'), answer('one'), answer('two'), get()]),
  engine('two posts at a time end the session', [startPost('4he', 6), post('4x'), answer('post', { only: ['status'] }), get()]),
  engine('a poll that is given up ends the session', [park(), abort(), get()]),
  engine('a post that is given up ends the session', [startPost('4he', 6), abort('post'), get()]),
  engine('after a close packet no post is taken', [post('1'), post('4x')]),
  engine('a poll that comes after a close packet', [post('1'), getAny(), getAny()], {
    reference: [accepted, refused(1), refused(1)],
    ours: [accepted, polled('6'), refused(1)],
    why: 'a poll that was sent before the close, on another connection, is no error of the client',
  }),
  engine('a close packet while a poll waits', [park(), post('1'), answer(), post('4x')]),
  engine('nothing counts after a close packet', [park(), post('1\x1e4x'), answer(), post('4x')]),
  engine('messages before a close packet are delivered', [
    park(),
    post('4x\x1e1'),
    fetched(),
    post('4y', { only: ['status'] }),
    early(),
  ]),
  wire('Socket.IO: a close packet', [begin('polling'), join(), park(), post('1'), answer(), post('40')]),
  wire('Socket.IO: a poll that waits is told of the end', [
    begin('polling'),
    join(),
    park(),
    post('42{}', { only: [] }),
    answer(),
    get(),
  ]),
  wire('Socket.IO: the next poll is told of the end', [begin('polling'), join(), say('2{}'), get({ only: ['status'] }), get()]),
];

export const polling = [...payloads, ...noops, ...bad, ...ends];
