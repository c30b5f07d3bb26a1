// The vocabulary of the tables: each function makes one step, which acts on a run (observe.mjs) and returns
// what it saw. Those under "arrange" see nothing and throw if the peer does not do what every server does.

import { setTimeout as sleep } from 'node:timers/promises';
import notepack from 'notepack.io';
import { BINARY, frame, TEXT } from '../e2e/raw.mjs';
import { seenAnswer, seenPackets } from './observe.mjs';
import { fromPolling, openPolling, openWebSocket, PollingSession, WebSocketSession } from './session.mjs';
import { HttpExchange, WAIT_MS, WebSocketWire } from './wire.mjs';

export const ENGINE = '/engine.io/';
export const SOCKET = '/socket.io/';
const NOWHERE = '/nope';
const SETTLE_MS = 30;

const target = (run, text) => text.replace('{sid}', run.sid);

function exchange(run, options) {
  const made = new HttpExchange(run.port, { ...options, target: target(run, options.target) });
  run.closers.push(() => made.abort());
  return made;
}

function keep(run, opened, base) {
  Object.assign(run, opened, { base });
  if (run.session?.wire) run.closers.push(() => run.session.wire.close());
}

const polling = (run) => `${run.base}?EIO=4&transport=polling&sid=${run.sid}`;

/* ---- arrange ---- */

// A session without a word about its handshake.
export const begin =
  (transport, { base = SOCKET, ...options } = {}) =>
  async (run) => {
    const open = transport === 'polling' ? openPolling(run.port, base, options.query) : openWebSocket(run.port, base, options);
    keep(run, await open, base);
  };

const packed = (run, packet) => {
  if (typeof packet === 'string') return `4${packet}`;
  return Buffer.isBuffer(packet) || run.parser !== 'msgpack' ? packet : notepack.encode(packet);
};

// Socket.IO packets: text, binary, and with msgpack objects. On polling they are one body.
export const say =
  (...packets) =>
  async (run) => {
    await run.session.say(...packets.map((packet) => packed(run, packet)));
  };

// Engine.IO packets.
export const raw =
  (...packets) =>
  async (run) => {
    await run.session.say(...packets);
  };

export const wait = (ms) => () => sleep(ms, undefined);

const isAuth = (nsp) => (packet) => {
  if (typeof packet === 'string') return packet.startsWith(nsp === '/' ? '42["auth"' : `42${nsp},["auth"`);
  const { type, nsp: of, data } = notepack.decode(packet);
  return type === 2 && of === nsp && data[0] === 'auth';
};

// Joins a namespace that the fixture has.
export const join =
  (nsp = '/') =>
  async (run) => {
    const packet = run.parser === 'msgpack' ? { type: 0, nsp } : nsp === '/' ? '0' : `0${nsp},`;
    await run.session.say(packed(run, packet));
    const seen = await run.session.until(isAuth(nsp));
    if (seen.length !== 2 || seen[1].toString().startsWith('closed')) throw new Error(`${nsp} not joined: ${seen}`);
  };

// The probe of an upgrade, on a WebSocket of the given name.
export const probe =
  (name = 'probe') =>
  async (run) => {
    const wire = new WebSocketWire(run.port, { target: `${run.base}?EIO=4&transport=websocket&sid=${run.sid}` });
    run.closers.push(() => wire.close());
    run.sockets.set(name, new WebSocketSession(wire));
    wire.sendText('2probe');
    const seen = await run.sockets.get(name).until((text) => text === '3probe');
    if (seen.length !== 1 || seen[0] !== '3probe') throw new Error(`the probe was answered ${JSON.stringify(seen)}`);
  };

// The session goes on on the WebSocket that probed.
export const upgrade =
  (name = 'probe', { answerPings = true } = {}) =>
  async (run) => {
    run.session = run.sockets.get(name);
    run.session.wire.answerPings = answerPings;
    await run.session.say('5');
  };

// A GET that waits on the server; `answer(name)` tells how it ends.
export const park =
  (name = 'parked') =>
  async (run) => {
    run.exchanges.set(name, exchange(run, { target: polling(run) }));
    await sleep(SETTLE_MS);
  };

// A POST of which only the head and a part of the body have been sent.
export const startPost =
  (part, length, { name = 'post', headers } = {}) =>
  async (run) => {
    run.exchanges.set(name, exchange(run, { method: 'POST', target: polling(run), body: part, length, headers }));
    await sleep(SETTLE_MS);
  };

export const more =
  (bytes, name = 'post') =>
  async (run) => {
    run.exchanges.get(name).write(bytes);
    await sleep(SETTLE_MS);
  };

export const abort =
  (name = 'parked') =>
  async (run) => {
    run.exchanges.get(name).abort();
    await sleep(SETTLE_MS);
  };

// Frames by hand: frame() of raw.mjs, or text.
export const send =
  (...frames) =>
  async (run) => {
    run.session.wire.send(...frames.map((each) => (typeof each === 'string' ? frame(TEXT, each) : each)));
    await run.session.wire.roundTrip();
  };

export const sendOn =
  (name, ...texts) =>
  async (run) => {
    const { wire } = run.sockets.get(name);
    wire.send(...texts.map((text) => (typeof text === 'string' ? frame(TEXT, text) : frame(BINARY, text))));
    await wire.roundTrip();
  };

// Sends `text` again and again for `ms`.
export const chatter =
  (text, ms, every = 40) =>
  async (run) => {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(every)) await run.session.say(text);
  };

/* ---- see ---- */

// One HTTP request as it is; {sid} in the target is the session's.
export const request =
  (method, path, { look, only, within, ...options } = {}) =>
  async (run) =>
    seenAnswer(await exchange(run, { method, target: path, ...options }).answered(within), { look, only });

// A handshake by polling, seen.
export const open =
  (base = ENGINE, { query = '', headers, ...view } = {}) =>
  async (run) => {
    const answer = await exchange(run, { target: `${base}?EIO=4&transport=polling${query}`, headers }).answered();
    const sid = /"sid":"([\w-]+)"/.exec(answer.body)?.[1];
    if (sid) keep(run, { sid, session: new PollingSession(run.port, base, sid) }, base);
    return seenAnswer(answer, view);
  };

export const post =
  (body, { headers, ...view } = {}) =>
  async (run) =>
    seenAnswer(await exchange(run, { method: 'POST', target: polling(run), headers, body }).answered(), view);

// Pings are answered and not told.
export const get = (view) => async (run) => seenAnswer(await run.session.poll(), view);

// The next GET as it is, pings too.
export const getAny = (view) => async (run) => seenAnswer(await exchange(run, { target: polling(run) }).answered(), view);

export const answer =
  (name = 'parked', view) =>
  async (run) =>
    seenAnswer(await run.exchanges.get(name).answered(), view);

// A WebSocket that is not the session: how its handshake is answered.
export const ws =
  (path, { name = 'ws', view, ...options } = {}) =>
  async (run) => {
    const wire = new WebSocketWire(run.port, { ...options, target: target(run, path) });
    run.closers.push(() => wire.close());
    run.sockets.set(name, new WebSocketSession(wire));
    return seenAnswer(await wire.opened(), view);
  };

// Was the head of a request answered 100?
export const continued =
  (name = 'post') =>
  async (run) => {
    const made = run.exchanges.get(name);
    await made.until(() => made.interim.length > 0 || made.answer);
    return made.interim;
  };

// What a request that waited brought goes in front of what alive() will tell: how many packets an answer
// carries is up to the server.
export const fetched =
  (name = 'parked') =>
  async (run) => {
    const { status, body } = await run.exchanges.get(name).answered();
    const packets = body.split('\x1e').filter((packet) => packet !== '6' && packet !== '2');
    if (body.split('\x1e').includes('2')) await run.session.say('3');
    run.session.early.push(...(status === 200 ? packets.map(fromPolling) : [`closed: ${status}`]));
  };

// That alone, where nobody is left to ask.
export const early = () => (run) => seenPackets(run.session.early.splice(0), run);

// A WebSocket that must not be of any use: not opened, or closed at once.
export const shut =
  (name = 'ws') =>
  async (run) => {
    const { wire } = run.sockets.get(name);
    await wire.until(() => wire.isEnded || wire.isClosed);
    return wire.isEnded || wire.isClosed ? 'refused or closed' : 'still open';
  };

// What a WebSocket has been sent since the last look; the server has read everything by then.
export const frames =
  (name = 'ws') =>
  async (run) => {
    const session = run.sockets.get(name) ?? run.session;
    await session.wire.roundTrip();
    return seenPackets(session.rest(), run);
  };

// The next `count` packets, or the end.
export const next =
  (count = 1, name) =>
  async (run) => {
    const session = run.sockets.get(name) ?? run.session;
    return seenPackets(await session.until((_packet, index) => index >= count - 1), run);
  };

// Until the server closes; "still open" if it does not within `ms`.
export const closes =
  (name, ms = WAIT_MS) =>
  async (run) => {
    const session = run.sockets.get(name) ?? run.session;
    return seenPackets(await session.until(() => false, ms), run);
  };

// Answers the pings for `ms` and tells what else came.
export const live = (ms) => async (run) => seenPackets(await run.session.live(ms), run);

const PROBES = {
  engine: ['4still there?', (packet) => packet === '4still there?'],
  json: [`40${NOWHERE},`, (packet) => typeof packet === 'string' && packet.startsWith(`44${NOWHERE},`)],
  msgpack: [
    notepack.encode({ type: 0, nsp: NOWHERE }),
    (packet) => typeof packet !== 'string' && notepack.decode(packet).nsp === NOWHERE,
  ],
};

// Everything that has come; at last either the answer to a question that every live session answers (to go to
// a namespace that does not exist; on raw Engine.IO an echo) or how the session ended.
export const alive = () => async (run) => {
  const [question, isAnswer] = PROBES[run.base === ENGINE ? 'engine' : run.parser];
  await run.session.say(question);
  const all = await run.session.until(isAnswer);
  const seen = all.filter((packet) => packet !== '2'); // of a session that answers pings by hand
  const last = seen.pop();
  return [...seenPackets(seen, run), typeof last === 'string' && /^(closed|still open)/.test(last) ? last : 'alive'];
};
