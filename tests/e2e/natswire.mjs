// A NATS client by hand over node:net, which sends what no library would and hears what the server says to each line.

import net from 'node:net';

const WAIT_MS = 20_000;

export class NatsWire {
  #input = Buffer.alloc(0);
  #waiting = []; // one for each PING, in their order
  #errors = [];
  #sid = 0;

  constructor(url) {
    const { hostname, port } = new URL(url);
    this.messages = [];
    this.isEnded = false;
    this.socket = net.connect({ host: hostname, port: Number(port), noDelay: true });
    this.socket.on('data', (chunk) => this.#take(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isEnded = true;
      for (const { resolve } of this.#waiting.splice(0)) resolve(this.#errors);
    });
  }

  // Signs in with what CONNECT says; resolves with what the server has against it.
  static async open(url, connect) {
    const nats = new NatsWire(url);
    nats.refusals = await nats.say(`CONNECT ${JSON.stringify({ verbose: false, headers: false, protocol: 1, ...connect })}`);
    return nats;
  }

  // Sends a line (and what goes with it); resolves with the errors that it met, none if it was taken.
  say(line, payload) {
    const body = payload === undefined ? '' : `${payload}\r\n`;
    return new Promise((resolve, reject) => {
      if (this.isEnded) return resolve(['closed']);
      const timer = setTimeout(() => reject(new Error(`not within ${WAIT_MS} ms: an answer to ${line}`)), WAIT_MS);
      this.#waiting.push({
        resolve: (errors) => {
          clearTimeout(timer);
          resolve(errors);
        },
      });
      this.socket.write(`${line}\r\n${body}PING\r\n`);
    });
  }

  publish(subject, payload = '', reply = '') {
    return this.say(`PUB ${subject} ${reply} ${Buffer.byteLength(payload)}`, payload);
  }

  subscribe(subject, queue = '') {
    return this.say(`SUB ${subject} ${queue} ${++this.#sid}`);
  }

  // A question to JetStream, whose answer is JSON. `inbox`: the user's own.
  async ask(inbox, subject, payload = '') {
    const reply = `${inbox}.${++this.#sid}`;
    await this.subscribe(reply);
    await this.publish(subject, payload, reply);
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const answer = this.messages.find((message) => message.subject === reply);
      if (answer) return JSON.parse(answer.payload);
      if (Date.now() > deadline || this.isEnded) throw new Error(`no answer to ${subject}`);
      await this.say('PONG');
    }
  }

  #take(chunk) {
    this.#input = Buffer.concat([this.#input, chunk]);
    for (;;) {
      const end = this.#input.indexOf('\r\n');
      if (end < 0) return;
      const line = this.#input.subarray(0, end).toString();
      if (!this.#takeLine(line, end + 2)) return;
    }
  }

  // False as long as a part of it is missing.
  #takeLine(line, at) {
    const [verb, subject, , ...rest] = line.split(' ');
    if (verb === 'MSG') {
      const size = Number(rest.at(-1));
      if (this.#input.length < at + size + 2) return false;
      this.messages.push({ subject, payload: this.#input.subarray(at, at + size).toString() });
      this.#input = this.#input.subarray(at + size + 2);
      return true;
    }
    this.#input = this.#input.subarray(at);
    if (verb === '-ERR') this.#errors.push(line.slice(5));
    else if (verb === 'PING') this.socket.write('PONG\r\n');
    else if (verb === 'PONG') this.#waiting.shift()?.resolve(this.#errors.splice(0));
    return true;
  }

  close() {
    this.socket.destroy();
  }
}
