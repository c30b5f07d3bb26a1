// One Engine.IO session over either transport, with the same verbs: send packets, collect what comes.
//
// Packets are those of Engine.IO: text as string ("4hello"), binary as Buffer.

import { BINARY, frame, TEXT } from '../e2e/raw.mjs';
import { HttpExchange, WAIT_MS, WebSocketWire } from './wire.mjs';

const SEPARATOR = '\x1e';

export const onPolling = (packet) => (typeof packet === 'string' ? packet : `b${packet.toString('base64')}`);
export const onWebSocket = (packet) => frame(typeof packet === 'string' ? TEXT : BINARY, packet);

export const fromPolling = (packet) => (packet.startsWith('b') ? Buffer.from(packet.slice(1), 'base64') : packet);

const ended = ({ status, body }) => `closed: ${status} ${body}`.trim();

export class PollingSession {
  constructor(port, base, sid) {
    this.port = port;
    this.target = `${base}?EIO=4&transport=polling&sid=${sid}`;
    this.early = []; // packets of polls that were made on the side
  }

  say(...packets) {
    return this.exchange({ method: 'POST', body: packets.map(onPolling).join(SEPARATOR) });
  }

  async exchange({ method = 'GET', headers, body }) {
    const exchange = new HttpExchange(this.port, { method, target: this.target, headers, body });
    const answer = await exchange.answered();
    exchange.abort();
    return answer;
  }

  // Like a GET of a client: pings are answered and, if nothing else came, the next GET follows.
  async poll() {
    for (;;) {
      const answer = await this.exchange({});
      if (answer.status !== 200) return answer;
      const packets = answer.body.split(SEPARATOR);
      const others = packets.filter((packet) => packet !== '2');
      if (others.length < packets.length) await this.say('3');
      if (others.length > 0) return { ...answer, body: others.join(SEPARATOR) };
    }
  }

  // Everything up to the packet that `isLast` likes, or up to the end of the session.
  async until(isLast) {
    const seen = this.early.splice(0);
    const deadline = Date.now() + WAIT_MS;
    while (Date.now() < deadline) {
      const answer = await this.poll();
      if (answer.status !== 200) return [...seen, ended(answer)];
      for (const packet of answer.body.split(SEPARATOR).map(fromPolling)) {
        if (packet === '6') continue; // it only wakes the client up
        if (packet === '1') return [...seen, 'closed: 1'];
        seen.push(packet);
        if (isLast(packet, seen.length - 1)) return seen;
      }
    }
    return [...seen, 'still open'];
  }

  // Answers pings for a while.
  async live(ms) {
    const end = Date.now() + ms;
    const seen = [];
    while (Date.now() < end && !seen.at(-1)?.startsWith?.('closed')) {
      const answer = await this.exchange({});
      if (answer.body === '2') await this.say('3');
      else seen.push(...(await this.#other(answer)));
    }
    return seen;
  }

  async #other(answer) {
    if (answer.status !== 200) return [ended(answer)];
    const packets = answer.body.split(SEPARATOR);
    if (packets.includes('2')) await this.say('3');
    return packets.filter((packet) => packet !== '6' && packet !== '2').map((packet) => (packet === '1' ? 'closed: 1' : packet));
  }
}

export class WebSocketSession {
  #read = 0;

  constructor(wire) {
    this.wire = wire;
  }

  // Returns once the server has read it.
  async say(...packets) {
    this.wire.send(...packets.map(onWebSocket));
    await this.wire.roundTrip();
  }

  // What has come and was not looked at, and how it was closed.
  rest() {
    const seen = this.wire.frames.slice(this.#read);
    this.#read = this.wire.frames.length;
    if (this.wire.isClosed) seen.push(`closed: ${this.wire.closeCode}`);
    return seen;
  }

  async until(isLast, timeoutMs = WAIT_MS) {
    const find = () => this.wire.frames.slice(this.#read).findIndex(isLast) + 1;
    const count = await this.wire.until(() => find() || (this.wire.isClosed && -1), timeoutMs);
    if (count === undefined) return [...this.rest(), 'still open'];
    if (count < 0) return this.rest();
    const seen = this.wire.frames.slice(this.#read, this.#read + count);
    this.#read += count;
    return seen;
  }

  async live(ms) {
    await this.wire.until(() => this.wire.isClosed, ms);
    return this.rest();
  }
}

const sidOf = (packet) => JSON.parse(packet.slice(1)).sid;

// A session that is open, its open packet taken: { session, sid }.
export async function openPolling(port, base, query = '') {
  const exchange = new HttpExchange(port, { target: `${base}?EIO=4&transport=polling${query}` });
  const answer = await exchange.answered();
  exchange.abort();
  if (answer.status !== 200) throw new Error(`no session: ${answer.status} ${answer.body}`);
  const sid = sidOf(answer.body);
  return { sid, session: new PollingSession(port, base, sid) };
}

export async function openWebSocket(port, base, { query = '', headers, answerPings } = {}) {
  const wire = new WebSocketWire(port, { target: `${base}?EIO=4&transport=websocket${query}`, headers, answerPings });
  const session = new WebSocketSession(wire);
  const [open] = await session.until(() => true);
  if (!open?.startsWith('0')) throw new Error(`no session: ${wire.head?.status} ${open}`);
  return { sid: sidOf(open), session };
}
