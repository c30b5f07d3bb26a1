// An Engine.IO session by hand: each request on a connection of its own, at the edge that a test names.

import { HttpExchange, WebSocketWire } from '../conformance/wire.mjs';

const WAIT_MS = 20_000;
const SEPARATOR = '\x1e';

const query = (sid, transport) => `/socket.io/?EIO=4&transport=${transport}${sid === undefined ? '' : `&sid=${sid}`}`;

// One request for `sid`, which is put into the query as it is; `ports`: of the edges, `at`: which of them.
export function exchange(ports, at, { sid, transport = 'polling', ...options } = {}) {
  return new HttpExchange(ports[at], { target: query(sid, transport), ...options });
}

// What is answered: { status, body }.
export async function answerOf(made) {
  const { status, body } = await made.answered(WAIT_MS);
  made.abort();
  return { status, body };
}

export const ask = (ports, at, options) => answerOf(exchange(ports, at, options));

export function webSocket(ports, at, sid, options) {
  return new WebSocketWire(ports[at], { target: query(sid, 'websocket'), answerPings: true, ...options });
}

export class PollingClient {
  constructor(ports, sid) {
    this.ports = ports;
    this.sid = sid;
    this.packets = []; // what came, pings and noops left out
    this.sockets = [];
  }

  // A session at edge `at`, its open packet taken.
  static async open(ports, at = 0) {
    const { status, body } = await ask(ports, at);
    if (status !== 200) throw new Error(`no session: ${status} ${body}`);
    return new PollingClient(ports, JSON.parse(body.slice(1)).sid);
  }

  // Signed in to "/"; both the CONNECT and its answer go through edge `at`.
  static async connected(ports, token, { from = 0, at = from } = {}) {
    const client = await PollingClient.open(ports, from);
    await client.post(at, `40${JSON.stringify({ token })}`);
    await client.until(at, (packet) => packet.startsWith('40{"sid"'));
    return client;
  }

  get(at) {
    return ask(this.ports, at, { sid: this.sid });
  }

  // A GET whose answer is for later.
  park(at) {
    return exchange(this.ports, at, { sid: this.sid });
  }

  post(at, ...packets) {
    return ask(this.ports, at, { sid: this.sid, method: 'POST', body: packets.join(SEPARATOR) });
  }

  // Takes the packets of a poll's answer and answers their ping through edge `at`.
  async take(at, { status, body }) {
    if (status !== 200) throw new Error(`a poll was answered ${status} ${body}`);
    const packets = body.split(SEPARATOR);
    this.packets.push(...packets.filter((packet) => packet !== '2' && packet !== '6'));
    if (packets.includes('2')) await this.post(at, '3');
  }

  // Polls edge `at` until a packet is there that `accept` likes, and returns that.
  async until(at, accept) {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const found = this.packets.find(accept);
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`not within ${WAIT_MS} ms: ${accept}; there is ${this.packets.slice(-5)}`);
      await this.take(at, await this.get(at));
    }
  }

  webSocket(at, options) {
    const socket = webSocket(this.ports, at, this.sid, options);
    this.sockets.push(socket);
    return socket;
  }

  // A WebSocket at edge `at` that has been answered its probe.
  async probe(at) {
    const socket = this.webSocket(at);
    const { status, body } = await socket.opened();
    if (status !== 101) throw new Error(`the upgrade was answered ${status} ${body}`);
    socket.sendText('2probe');
    if (!(await socket.until(() => socket.frames.length > 0 || socket.isEnded, WAIT_MS)) || socket.frames[0] !== '3probe') {
      throw new Error(`the probe was answered ${socket.frames} (closed: ${socket.closeCode})`);
    }
    return socket;
  }

  // The whole of it; the session is on the WebSocket when this returns.
  async upgrade(at) {
    const socket = await this.probe(at);
    socket.sendText('5');
    await socket.roundTrip();
    return socket;
  }

  close() {
    for (const socket of this.sockets) socket.close();
  }
}

// The frame that `accept` likes, as soon as it is there.
export async function frameLike(socket, accept) {
  const find = () => socket.frames.find((frame) => typeof frame === 'string' && accept(frame));
  await socket.until(() => find() || socket.isEnded, WAIT_MS);
  const found = find();
  if (!found) throw new Error(`no frame like ${accept} (closed: ${socket.closeCode}); there is ${socket.frames.slice(-5)}`);
  return found;
}
