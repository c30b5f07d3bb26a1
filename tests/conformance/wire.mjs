// Raw bytes: one HTTP request, or one WebSocket, on a connection of its own.

import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { BINARY, CLOSE, frame, parseFrame, PING, PONG, TEXT } from '../e2e/raw.mjs';

export const WAIT_MS = 5_000;
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

// Something that others wait for: `wake()` whenever it changed.
class Watched {
  #watchers = new Set();

  wake() {
    for (const look of this.#watchers) look();
  }

  // Resolves with the first true value of `probe`; undefined after `timeoutMs` without one.
  until(probe, timeoutMs = WAIT_MS) {
    return new Promise((resolve) => {
      const done = (value) => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(value);
      };
      const look = () => {
        const value = probe();
        if (value) done(value);
      };
      const timer = setTimeout(done, timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }
}

function parseHead(text) {
  const [first, ...lines] = text.split('\r\n');
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(first.split(' ')[1]), headers };
}

// The head of the first answer in `input` and what follows; undefined as long as it is incomplete.
function splitHead(input) {
  const end = input.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  return { ...parseHead(input.subarray(0, end).toString('latin1')), rest: input.subarray(end + 4) };
}

// The body in chunks, once the last of them is there.
function joinChunks(input) {
  const parts = [];
  for (let at = 0; ;) {
    const line = input.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = parseInt(input.subarray(at, line).toString('latin1'), 16);
    if (input.length < line + 2 + size + 2) return undefined;
    if (size === 0) return Buffer.concat(parts);
    parts.push(input.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}

// In the place of an answer: the connection ended without one, or the deadline passed.
const nothing = (isEnded) => ({ status: isEnded ? 'cut off' : 'no answer', headers: {}, body: '' });

export class HttpExchange extends Watched {
  #input = Buffer.alloc(0);

  // `body` undefined: no body and no Content-Length. `length`: what the head claims instead of the truth.
  constructor(port, { method = 'GET', target, headers = {}, body, length }) {
    super();
    this.method = method;
    this.interim = [];
    this.isEnded = false;
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('error', () => this.#end());
    this.socket.on('close', () => this.#end());
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(body);
    const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers });
    if (body !== undefined && !headers['Transfer-Encoding']) lines.push(['Content-Length', length ?? bytes.length]);
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.write(Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${head}\r\n`, 'latin1'), bytes]));
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  #take(chunk) {
    this.#input = Buffer.concat([this.#input, chunk]);
    this.#parse();
    this.wake();
  }

  #end() {
    this.isEnded = true;
    this.#parse();
    this.wake();
  }

  #parse() {
    if (this.answer) return;
    const head = splitHead(this.#input);
    if (!head) return;
    if (head.status === 100) {
      this.interim.push(100);
      this.#input = head.rest;
      return this.#parse();
    }
    const body = this.#body(head);
    if (body) this.answer = { status: head.status, headers: head.headers, body: body.toString() };
  }

  #body({ status, headers, rest }) {
    if (this.method === 'HEAD' || status === 204 || status === 101) return Buffer.alloc(0);
    if (headers['transfer-encoding'] === 'chunked') return joinChunks(rest);
    if (headers['content-length'] === undefined) return this.isEnded ? rest : undefined;
    const length = Number(headers['content-length']);
    return rest.length >= length ? rest.subarray(0, length) : undefined;
  }

  async answered(timeoutMs = WAIT_MS) {
    await this.until(() => this.answer || this.isEnded, timeoutMs);
    return this.answer ?? nothing(this.isEnded);
  }

  abort() {
    this.socket.destroy();
  }
}

export class WebSocketWire extends Watched {
  #input = Buffer.alloc(0);
  #parts = [];
  #unsent = []; // nothing may be sent before the handshake is answered

  // `answerPings`: Engine.IO's, each with a pong; they are not among `frames` then.
  constructor(port, { method = 'GET', target, headers = {}, answerPings = true, after = Buffer.alloc(0) }) {
    super();
    this.frames = []; // text as string, binary as Buffer
    this.pongs = [];
    this.answerPings = answerPings;
    this.closeCode = undefined;
    this.isEnded = false;
    this.key = randomBytes(16).toString('base64');
    this.socket = net.connect({ host: '127.0.0.1', port, noDelay: true });
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('error', () => this.#end());
    this.socket.on('close', () => this.#end());
    const all = {
      Host: `127.0.0.1:${port}`,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': this.key,
      'Sec-WebSocket-Version': '13',
      ...headers,
    };
    const lines = Object.entries(all).filter(([, value]) => value !== undefined);
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    this.socket.write(Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${head}\r\n`, 'latin1'), after]));
  }

  #take(chunk) {
    this.#input = Buffer.concat([this.#input, chunk]);
    if (!this.head) {
      const head = splitHead(this.#input);
      if (head) {
        this.head = { status: head.status, headers: head.headers };
        this.#input = head.rest;
        this.send(...this.#unsent.splice(0));
      }
    }
    if (this.head?.status === 101) while (this.#takeFrame());
    this.wake();
  }

  #takeFrame() {
    const next = this.isClosed ? undefined : parseFrame(this.#input);
    if (!next) return false;
    this.#input = this.#input.subarray(next.size);
    this.#on(next);
    return true;
  }

  #on({ fin, opcode, payload }) {
    if (opcode === CLOSE) {
      this.closeCode = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.socket.end(frame(CLOSE, payload.subarray(0, 2)));
    } else if (opcode === PONG) {
      this.pongs.push(payload.toString());
    } else if (opcode === PING) {
      this.frames.push('(a ping of RFC 6455)');
    } else {
      if (opcode !== 0) this.opcode = opcode;
      this.#parts.push(payload);
      if (fin) this.#onMessage(Buffer.concat(this.#parts.splice(0)));
    }
  }

  #onMessage(bytes) {
    if (this.opcode === BINARY) return this.frames.push(bytes);
    if (this.answerPings && bytes.toString() === '2') return this.sendText('3');
    return this.frames.push(bytes.toString());
  }

  #end() {
    this.isEnded = true;
    if (this.head?.status === 101) this.closeCode ??= 1006;
    this.wake();
  }

  get isClosed() {
    return this.closeCode !== undefined;
  }

  // The answer to the handshake; `body` is there only if it was refused.
  async opened() {
    await this.until(() => this.isEnded || this.head?.status === 101);
    if (!this.head) return nothing(this.isEnded);
    if (this.head.status !== 101) return { ...this.head, body: this.#input.toString() };
    const accept = createHash('sha1')
      .update(this.key + GUID)
      .digest('base64');
    return { ...this.head, isAccepted: this.head.headers['sec-websocket-accept'] === accept };
  }

  send(...frames) {
    if (!this.head) this.#unsent.push(...frames);
    else if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  sendText(text) {
    this.send(frame(TEXT, text));
  }

  // After this, everything that was sent before has been read by the server.
  async roundTrip() {
    const mark = randomBytes(6).toString('hex');
    this.send(frame(PING, mark));
    await this.until(() => this.isEnded || this.isClosed || this.pongs.includes(mark));
  }

  close() {
    this.socket.destroy();
  }
}
