// The same conversations with socket.io-msgpack-parser: one binary packet of Engine.IO holds one of Socket.IO.

import { both as bothTransports, wire } from '../case.mjs';
import { alive, begin, join, probe, say, upgrade } from '../steps.mjs';

const CONNECT = 0;
const DISCONNECT = 1;
const EVENT = 2;
const ACK = 3;
const CONNECT_ERROR = 4;
const A = Buffer.from([1, 2, 3]);
const MSGPACK = { parser: 'msgpack' };

const event = (...data) => ({ type: EVENT, nsp: '/', data });
const hex = (text) => Buffer.from(text.replaceAll(' ', ''), 'hex');

const both = (name, ...packets) =>
  bothTransports(name, (on) => [begin(on), join(), ...packets.map((packet) => say(packet)), alive()], MSGPACK);
const fresh = (name, ...packets) => wire(name, [begin('websocket'), ...packets.map((packet) => say(packet)), alive()], MSGPACK);
const once = (name, ...packets) =>
  wire(name, [begin('websocket'), join(), ...packets.map((packet) => say(packet)), alive()], MSGPACK);

const NIL = 'clients in Python send nil for what is absent';
const back = (...data) => event('message-back', ...data);

// A packet that closes the reference and that ours takes.
const taken = (name, packet, seen, why) =>
  wire(name, [begin('websocket'), join(), say(packet), alive()], {
    ...MSGPACK,
    reference: [['closed: 1005']],
    ours: [[...seen, 'alive']],
    why,
  });

export const msgpack = [
  ...bothTransports('CONNECT to /', (on) => [begin(on), say({ type: CONNECT, nsp: '/' }), alive()], MSGPACK),
  fresh('CONNECT with auth', { type: CONNECT, nsp: '/', data: { token: 'abc', deep: { list: [1, null] } } }),
  fresh('CONNECT to /custom', { type: CONNECT, nsp: '/custom', data: { token: 'abc' } }),
  fresh('CONNECT to an unknown namespace', { type: CONNECT, nsp: '/unknown' }),
  fresh('CONNECT with data of undefined (fixext 1)', hex('83 a4 74797065 00 a4 64617461 d40000 a3 6e7370 a1 2f')),
  fresh('CONNECT with an array', { type: CONNECT, nsp: '/', data: [] }),
  fresh('CONNECT with a string', { type: CONNECT, nsp: '/', data: 'token' }),
  fresh('an event before CONNECT', event('message', 1)),

  ...both('message without arguments', event('message')),
  ...both('message with arguments of all kinds', event('message', 1, '2', { 3: [true] }, null, false, 1.5, [])),
  ...both('message with bytes', event('message', A, { deep: [A] })),
  ...both('message-with-ack', { ...event('message-with-ack', 1, A), id: 7 }),
  ...both('several events, in order', event('message', 1), event('message', 2)),
  once('keys that nobody knows', { ...event('message', 1), options: { compress: true }, more: [1] }),
  once('numbers', event('message', 0, -1, 127, 128, -33, 65_536, 4_294_967_296, 1.25, -1e-7, 9_007_199_254_740_991)),
  once('strings of all lengths', event('message', '', 'x'.repeat(31), 'x'.repeat(32), 'x'.repeat(256), 'ż€😀')),
  once(
    'bytes of all lengths',
    event('message', Buffer.alloc(0), Buffer.alloc(255, 1), Buffer.alloc(256, 2), Buffer.alloc(70_000, 3)),
  ),
  once(
    'arrays and maps of all lengths',
    event('message', Array(16).fill(1), Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i]))),
  ),
  once('a name of a number', event(5, 1)),
  once('message with an id that nobody answers', { ...event('message', 1), id: 3 }),
  once('an answer to nothing', { type: ACK, nsp: '/', id: 5, data: [] }),
  once('the keys in another order', { data: ['message', 1], nsp: '/', type: EVENT }),
  once('bytes as ext 8 of type 0', hex('83 a4 74797065 02 a3 6e7370 a1 2f a4 64617461 92 a7 6d657373616765 c7 03 00 010203')),
  once(
    'numbers in longer forms than needed',
    hex(
      '83 a4 74797065 02 a3 6e7370 a1 2f a4 64617461 95 a7 6d657373616765 ca 3fc00000 cf 0000000000000001 d3 ffffffffffffffff d1 0005',
    ),
  ),
  once(
    'a string in a longer form than needed',
    hex('83 a4 74797065 02 a3 6e7370 d9 01 2f a4 64617461 92 da 0007 6d657373616765 01'),
  ),

  ...both('DISCONNECT', { type: DISCONNECT, nsp: '/' }),
  once('DISCONNECT and CONNECT again', { type: DISCONNECT, nsp: '/' }, { type: CONNECT, nsp: '/' }),
  once('an event after DISCONNECT', { type: DISCONNECT, nsp: '/' }, event('message', 1)),
  once('a second CONNECT', { type: CONNECT, nsp: '/' }),
  once('CONNECT_ERROR from a client', { type: CONNECT_ERROR, nsp: '/', data: { message: 'no' } }),
  once('an event for a namespace that was not joined', { ...event('message', 1), nsp: '/custom' }),

  once('an event without data', { type: EVENT, nsp: '/' }),
  once('an object as data', { type: EVENT, nsp: '/', data: {} }),
  once('no type', { nsp: '/', data: ['message'] }),
  once('type 7', { type: 7, nsp: '/', data: ['message'] }),
  once('a type of a string', { type: '2', nsp: '/', data: ['message'] }),
  once('no namespace', { type: EVENT, data: ['message'] }),
  once('a namespace of a number', { type: EVENT, nsp: 5, data: ['message'] }),
  once('an id of a string', { ...event('message-with-ack'), id: '7' }),
  once('an id with a fraction', { ...event('message-with-ack'), id: 1.5 }),
  once('bytes behind the packet', hex('83 a4 74797065 02 a3 6e7370 a1 2f a4 64617461 91 a7 6d657373616765 00')),
  once('a packet that is cut', hex('83 a4 74797065 02 a3 6e7370 a1 2f a4 64617461 91 a7 6d6573')),
  once('an empty packet', Buffer.alloc(0)),
  once('text of the other encoding', '2["message",1]'),
  once('no map', hex('93 01 02 03')),

  // ours takes more
  taken('DISCONNECT with data of nil', { type: DISCONNECT, nsp: '/', data: null }, [], NIL),
  taken('an event with an id of nil', { ...event('message', 1), id: null }, [back(1)], NIL),
  wire('CONNECT with data of nil', [begin('websocket'), say({ type: CONNECT, nsp: '/', data: null }), alive()], {
    ...MSGPACK,
    reference: [['closed: 1005']],
    ours: [[{ type: CONNECT, nsp: '/', data: { sid: '<sid>' } }, event('auth', {}), 'alive']],
    why: NIL,
  }),
  taken(
    'the type of a binary event of the other encoding',
    { type: 5, nsp: '/', data: ['message', A] },
    [back('hex:010203')],
    'old clients in Python send it as soon as an event has bytes',
  ),

  wire(
    'through an upgrade',
    [
      begin('polling'),
      join(),
      say(event('message', A)),
      probe(),
      say(event('message', 2)),
      upgrade(),
      say(event('message', 3)),
      alive(),
    ],
    MSGPACK,
  ),
];
