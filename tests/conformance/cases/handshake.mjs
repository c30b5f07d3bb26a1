// How a session starts, or why it does not: the query, the order of the checks, the open packet.

import { frame, TEXT } from '../../e2e/raw.mjs';
import { wire } from '../case.mjs';
import { notUpgraded, OPEN_POLLING, polled } from '../expected.mjs';
import { alive, begin, ENGINE, frames, next, open, request, shut, SOCKET, ws } from '../steps.mjs';

const UNKNOWN = 'AAAAAAAAAAAAAAAAAAAA';
const STATUS = { only: ['status'] };

const handshakes = [
  ['Engine.IO by polling', `${ENGINE}?EIO=4&transport=polling`],
  ['Socket.IO by polling', `${SOCKET}?EIO=4&transport=polling`],
  ['the parameters in another order', `${ENGINE}?transport=polling&EIO=4`],
  ['parameters that nobody knows', `${ENGINE}?EIO=4&transport=polling&token=x&__proto__=y&x`],
  ['t, the cache buster', `${ENGINE}?EIO=4&transport=polling&t=PmJx8aK`],
  ['b64=1', `${ENGINE}?EIO=4&transport=polling&b64=1`],
  ['an escaped name and value', `${ENGINE}?%45IO=4&transport=poll%69ng`],
  ['an empty sid is none', `${ENGINE}?EIO=4&transport=polling&sid=`],
  ['no query', ENGINE],
  ['no transport', `${ENGINE}?EIO=4`],
  ['an empty transport', `${ENGINE}?EIO=4&transport=`],
  ['an unknown transport', `${ENGINE}?EIO=4&transport=carrier-pigeon`],
  ['a transport in capitals', `${ENGINE}?EIO=4&transport=Polling`],
  ['transport=constructor', `${ENGINE}?EIO=4&transport=constructor`],
  ['transport=__proto__', `${ENGINE}?EIO=4&transport=__proto__`],
  ['transport=webtransport, which is off', `${ENGINE}?EIO=4&transport=webtransport`],
  ['a parameter in capitals', `${ENGINE}?EIO=4&TRANSPORT=polling`],
  ['no EIO', `${ENGINE}?transport=polling`],
  ['an empty EIO', `${ENGINE}?EIO=&transport=polling`],
  ['EIO=3', `${ENGINE}?EIO=3&transport=polling`],
  ['EIO=5', `${ENGINE}?EIO=5&transport=polling`],
  ['EIO=04', `${ENGINE}?EIO=04&transport=polling`],
  ['EIO=4 with a space', `${ENGINE}?EIO=4%20&transport=polling`],
  ['eio=4', `${ENGINE}?eio=4&transport=polling`],
  ['Socket.IO with EIO=3', `${SOCKET}?EIO=3&transport=polling`],
  ['websocket without an upgrade', `${ENGINE}?EIO=4&transport=websocket`],
  ['websocket without an upgrade, EIO=3', `${ENGINE}?EIO=3&transport=websocket`],
  ['an unknown sid', `${ENGINE}?EIO=4&transport=polling&sid=${UNKNOWN}`],
  ['an unknown sid, EIO=3', `${ENGINE}?EIO=3&transport=polling&sid=${UNKNOWN}`],
  ['an unknown sid, websocket without an upgrade', `${ENGINE}?EIO=4&transport=websocket&sid=${UNKNOWN}`],
  ['an unknown sid and transport', `${ENGINE}?EIO=4&transport=x&sid=${UNKNOWN}`],
  ['sid=constructor', `${ENGINE}?EIO=4&transport=polling&sid=constructor`],
  ['sid=__proto__', `${ENGINE}?EIO=4&transport=polling&sid=__proto__`],
  ['a sid of 3000 characters', `${ENGINE}?EIO=4&transport=polling&sid=${'A'.repeat(3000)}`],
].map(([name, path]) => wire(name, [request('GET', path)]));

const methods = [
  ['POST', `${ENGINE}?EIO=4&transport=polling`, { body: '40' }],
  ['PUT', `${ENGINE}?EIO=4&transport=polling`, { body: '40' }],
  ['DELETE', `${ENGINE}?EIO=4&transport=polling`],
  ['HEAD', `${ENGINE}?EIO=4&transport=polling`, STATUS],
  ['POST', `${ENGINE}?EIO=3&transport=polling`, { body: '' }],
  ['POST', `${ENGINE}?EIO=4&transport=websocket`, { body: '' }],
  ['POST', `${ENGINE}?EIO=4`, { body: '' }],
  ['POST', `${ENGINE}?EIO=4&transport=polling&sid=${UNKNOWN}`, { body: '40' }],
].map(([method, path, options]) => wire(`${method} ${path}`, [request(method, path, options)]));

const ofASession = [
  wire('a session is not reached with another revision', [
    begin('polling', { base: ENGINE }),
    request('GET', `${ENGINE}?EIO=3&transport=polling&sid={sid}`),
    request('GET', `${ENGINE}?transport=polling&sid={sid}`),
    alive(),
  ]),
  wire('websocket without an upgrade is no way to a polling session', [
    begin('polling', { base: ENGINE }),
    request('GET', `${ENGINE}?EIO=4&transport=websocket&sid={sid}`),
    request('POST', `${ENGINE}?EIO=4&transport=websocket&sid={sid}`, { body: '4x' }),
    alive(),
  ]),
  wire('a session born on a WebSocket is not reached by polling', [
    begin('websocket', { base: ENGINE }),
    request('GET', `${ENGINE}?EIO=4&transport=polling&sid={sid}`),
    request('POST', `${ENGINE}?EIO=4&transport=polling&sid={sid}`, { body: '4x' }),
    alive(),
  ]),
  wire('the session of one server is not known to the other', [
    begin('polling', { base: ENGINE }),
    request('GET', `${SOCKET}?EIO=4&transport=polling&sid={sid}`),
    alive(),
  ]),
  wire(
    'PUT to a session',
    [
      begin('polling', { base: ENGINE }),
      request('PUT', `${ENGINE}?EIO=4&transport=polling&sid={sid}`, { body: '4x', ...STATUS }),
      alive(),
    ],
    {
      reference: [{ status: 500 }, ['alive']],
      ours: [{ status: 400 }, ['alive']],
      why: 'a method that is not allowed is the fault of the client, not an error of the server',
    },
  ),
];

const paths = [
  wire(
    'a path without its last slash',
    [request('GET', '/socket.io?EIO=4&transport=polling'), ws('/socket.io?EIO=4&transport=websocket', { view: STATUS })],
    {
      reference: [{ status: 404, body: '' }, 'cut off'],
      ours: [polled(OPEN_POLLING), { status: 101 }],
      why: 'clients with addTrailingSlash: false ask for it, whatever the server is set to',
    },
  ),
  wire('a longer path', [request('GET', '/socket.io/more?EIO=4&transport=polling', STATUS)], {
    reference: [{ status: 200 }],
    ours: [{ status: 404 }],
    why: 'only the path itself is Socket.IO; the reference compares the first characters',
  }),
  wire('another path', [request('GET', '/sockets/?EIO=4&transport=polling', STATUS)]),
  wire('the path in capitals', [request('GET', '/Socket.IO/?EIO=4&transport=polling', STATUS)]),
];

const openPacket = [
  wire('polling: the open packet has five keys and no cache keeps it', [
    open(ENGINE, { look: ['cache-control', 'content-length'], only: ['status', 'body', 'cache-control'] }),
  ]),
  wire('WebSocket: the open packet offers no upgrade', [ws(`${ENGINE}?EIO=4&transport=websocket`), next(1, 'ws')]),
  wire('WebSocket of Socket.IO: nothing comes before CONNECT', [
    ws(`${SOCKET}?EIO=4&transport=websocket`),
    next(1, 'ws'),
    frames(),
  ]),
  wire('WebSocket: a frame in the same segment as the handshake', [ws(`${ENGINE}?EIO=4&transport=websocket`, { after: frame(TEXT, '4early'), view: STATUS })], {
    reference: [{ status: 101 }],
    ours: [{ status: 400 }],
    why: 'no client may send anything before the answer (RFC 6455 section 4.1); who does is not one to trust with the rest',
  }),
];

const refusedUpgrades = [
  ['no transport', `${ENGINE}?EIO=4`],
  ['an unknown transport', `${ENGINE}?EIO=4&transport=carrier-pigeon`],
  ['transport=constructor', `${ENGINE}?EIO=4&transport=constructor`],
  ['an unknown sid', `${ENGINE}?EIO=4&transport=websocket&sid=${UNKNOWN}`],
  ['sid=__proto__', `${ENGINE}?EIO=4&transport=websocket&sid=__proto__`],
  ['an unknown sid, EIO=3', `${ENGINE}?EIO=3&transport=websocket&sid=${UNKNOWN}`],
].map(([name, path]) => wire(`WebSocket: ${name}`, [ws(path)]));

const lateRefusals = [
  ...['EIO=3&', ''].map((eio) =>
    wire(`WebSocket: ${eio ? 'EIO=3' : 'no EIO'}`, [ws(`${ENGINE}?${eio}transport=websocket`)], {
      reference: [{ status: 101, 'access-control-allow-origin': '*' }],
      ours: [notUpgraded(5)],
      why: 'the reference finds out after it has switched protocols and writes HTTP into the WebSocket',
    }),
  ),
  wire('WebSocket: transport=polling', [ws(`${ENGINE}?EIO=4&transport=polling`, { view: STATUS }), shut()], {
    reference: [{ status: 101 }, 'refused or closed'],
    ours: [{ status: 400 }, 'refused or closed'],
    why: 'polling cannot be upgraded to by name; the reference switches protocols only to close',
  }),
  wire('WebSocket: POST', [ws(`${ENGINE}?EIO=4&transport=websocket`, { method: 'POST', view: STATUS })]),
  wire('WebSocket: no key', [
    ws(`${ENGINE}?EIO=4&transport=websocket`, { headers: { 'Sec-WebSocket-Key': undefined }, view: STATUS }),
  ]),
  wire('WebSocket: a key that is too short', [
    ws(`${ENGINE}?EIO=4&transport=websocket`, { headers: { 'Sec-WebSocket-Key': 'c2hvcnQ=' }, view: STATUS }),
  ]),
  wire('WebSocket: a version that does not exist', [
    ws(`${ENGINE}?EIO=4&transport=websocket`, { headers: { 'Sec-WebSocket-Version': '12' }, view: STATUS }),
  ]),
  wire('WebSocket: the first offered subprotocol is taken', [
    ws(`${ENGINE}?EIO=4&transport=websocket`, { headers: { 'Sec-WebSocket-Protocol': 'chat, superchat' } }),
  ]),
  wire('WebSocket: an offer to compress is not answered', [
    ws(`${ENGINE}?EIO=4&transport=websocket`, {
      headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' },
      view: { look: ['sec-websocket-extensions'] },
    }),
  ]),
];

export const handshake = [...handshakes, ...methods, ...ofASession, ...paths, ...openPacket, ...refusedUpgrades, ...lateRefusals];
