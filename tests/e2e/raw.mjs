// A WebSocket by hand over node:net, for frames that no library sends.

import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';

const WAIT_MS = 20_000;
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

// One frame. `announce`: the length that its header claims, instead of the true one.
export function frame(opcode, payload, { fin = true, rsv = 0, masked = true, announce } = {}) {
  const body = Buffer.from(payload);
  const length = announce ?? body.length;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  let extended = Buffer.alloc(0);
  if (length < 126) {
    head.push(length);
  } else if (length < 65536) {
    head.push(126);
    extended = Buffer.alloc(2);
    extended.writeUInt16BE(length);
  } else {
    head.push(127);
    extended = Buffer.alloc(8);
    extended.writeBigUInt64BE(BigInt(length));
  }
  if (!masked) return Buffer.concat([Buffer.from(head), extended, body]);
  head[1] |= 0x80;
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from(head), extended, mask, body.map((byte, i) => byte ^ mask[i % 4])]);
}

// The frame that `input` starts with, which is not masked; undefined as long as a part of it is missing.
export function parseFrame(input) {
  if (input.length < 2) return undefined;
  let length = input[1] & 0x7f;
  let at = 2;
  if (length >= 126) {
    at = length === 126 ? 4 : 10;
    if (input.length < at) return undefined;
    length = length === 126 ? input.readUInt16BE(2) : Number(input.readBigUInt64BE(2));
  }
  if (input.length < at + length) return undefined;
  return { fin: input[0] >= 0x80, opcode: input[0] & 0x0f, payload: input.subarray(at, at + length), size: at + length };
}

export class RawSocket {
  constructor(url) {
    const { hostname, port } = new URL(url);
    this.host = `${hostname}:${port}`;
    this.key = randomBytes(16).toString('base64');
    this.input = Buffer.alloc(0);
    this.texts = [];
    this.pongs = [];
    this.answerPings = true;
    this.closeFrame = false;
    this.closeCode = undefined;
    this.isEnded = false;
    this.watchers = new Set();
    this.socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('error', () => this.#end());
    this.socket.on('close', () => this.#end());
  }

  // `after`: bytes sent in the same write as the request head.
  request({ query = 'EIO=4&transport=websocket', headers = [], after = Buffer.alloc(0) } = {}) {
    const lines = [
      `GET /socket.io/?${query} HTTP/1.1`,
      `Host: ${this.host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${this.key}`,
      'Sec-WebSocket-Version: 13',
      ...headers,
    ];
    this.socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), after]));
  }

  // A socket whose upgrade was answered 101 and which has been told its Engine.IO session.
  static async upgrade(url, options) {
    const raw = new RawSocket(url);
    raw.request(options);
    await raw.#wait('the answer to the upgrade', () => raw.head || raw.isEnded);
    if (!raw.head?.startsWith('HTTP/1.1 101 ')) throw new Error(`not upgraded: ${raw.head ?? raw.input}`);
    const accept = createHash('sha1').update(raw.key + GUID).digest('base64');
    if (!raw.head.includes(accept)) throw new Error(`wrong Sec-WebSocket-Accept: ${raw.head}`);
    await raw.waitText((text) => text.startsWith('0{'));
    return raw;
  }

  // Everything that the server says to this request until it closes.
  static async httpAnswer(url, options) {
    const raw = new RawSocket(url);
    raw.request(options);
    await raw.ended();
    return `${raw.head ?? ''}${raw.input}`;
  }

  #take(chunk) {
    this.input = Buffer.concat([this.input, chunk]);
    if (!this.head) {
      const end = this.input.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.input.subarray(0, end + 4).toString('latin1');
      this.input = this.input.subarray(end + 4);
      this.onHead?.();
    }
    if (this.head.startsWith('HTTP/1.1 101 ')) while (this.#takeFrame());
    this.#wake();
  }

  #takeFrame() {
    const next = parseFrame(this.input);
    if (!next) return false;
    this.input = this.input.subarray(next.size);
    this.#on(next.opcode, next.payload);
    return true;
  }

  #on(opcode, payload) {
    if (opcode === TEXT) {
      const text = payload.toString();
      this.texts.push(text);
      if (text === '2' && this.answerPings) this.sendText('3');
    } else if (opcode === PONG) {
      this.pongs.push(payload.toString());
    } else if (opcode === CLOSE) {
      this.closeFrame = true;
      if (payload.length >= 2) this.closeCode = payload.readUInt16BE(0);
    }
  }

  #end() {
    this.isEnded = true;
    this.#wake();
  }

  #wake() {
    for (const watcher of this.watchers) watcher();
  }

  #wait(what, probe) {
    return new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer);
        this.watchers.delete(look);
        settle(value);
      };
      const look = () => {
        const value = probe();
        if (value) done(resolve, value);
        else if (this.isEnded) done(reject, new Error(`closed (code ${this.closeCode}) before ${what}`));
      };
      const timer = setTimeout(() => done(reject, new Error(`not within ${WAIT_MS} ms: ${what}`)), WAIT_MS);
      this.watchers.add(look);
      look();
    });
  }

  send(...buffers) {
    this.socket.write(Buffer.concat(buffers));
  }

  sendText(text) {
    this.send(frame(TEXT, text));
  }

  waitText(accept) {
    return this.#wait(`a text like ${accept}`, () => this.texts.find(accept));
  }

  waitPong() {
    return this.#wait('a pong', () => this.pongs.length > 0 && this.pongs.at(-1));
  }

  // Until the server has closed the connection; closeCode then tells how.
  ended() {
    return this.#wait('the end', () => this.isEnded);
  }

  close() {
    this.socket.destroy();
  }
}
