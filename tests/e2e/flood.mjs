// Shared by the tests that break things under load: publishers at a steady pace, clients of every kind that
// come back by themselves, and what has to hold for them at the end.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import parser from 'socket.io-msgpack-parser';
import { PRESET, ROOT } from './harness.mjs';

const TICK_MS = 100;

const CLIENT_KINDS = [
  { transports: ['websocket'] },
  { transports: ['polling', 'websocket'] },
  { transports: ['polling'] },
  { transports: ['websocket'], parser },
  { transports: ['polling', 'websocket'], parser },
];

// `ww publish` reading from us at a steady pace: it tries again by itself what could not be stored.
// eventAt(n) is the n-th event; after `total` of them, or stop(), it ends.
export class Flood {
  constructor(stack, eventAt, { perSecond, total = Infinity }) {
    this.eventAt = eventAt;
    this.total = total;
    this.perTick = Math.ceil((perSecond * TICK_MS) / 1000);
    this.sent = 0;
    this.output = '';
    this.child = spawn(join(ROOT, 'build', PRESET, 'bin', 'ww'), ['publish', '--json', '-', '--quiet'], {
      cwd: ROOT,
      env: { ...process.env, ...stack.wwEnv },
    });
    this.child.stdin.on('error', () => {}); // its exit code tells
    for (const stream of [this.child.stdout, this.child.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
    this.timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #tick() {
    const lines = [];
    while (lines.length < this.perTick && this.sent < this.total) lines.push(JSON.stringify(this.eventAt(this.sent++)));
    if (lines.length > 0) this.child.stdin.write(`${lines.join('\n')}\n`);
    if (this.isOver()) this.#finish();
  }

  #finish() {
    clearInterval(this.timer);
    this.child.stdin.end();
  }

  isOver() {
    return this.sent >= this.total;
  }

  async stop() {
    this.#finish();
    assert.equal(await this.ended, 0, this.output);
    assert.match(this.output, new RegExp(`published ${this.sent}, duplicates 0, failed 0`));
  }
}

// A client of the i-th kind that comes back by itself; `returns` tells for each time whether it was recovered.
export async function follow(stack, user, i) {
  const options = { ...CLIENT_KINDS[i % CLIENT_KINDS.length], reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 200, timeout: 5_000 };
  const client = await stack.connect(user, { at: 'http', ...options });
  client.returns = [];
  client.socket.on('connect', () => client.returns.push(client.socket.recovered));
  return client;
}

export const countReturns = (clients) => clients.reduce((sum, client) => sum + client.returns.length, 0);

// Every item of `ids` once and in their order, numbered without a gap, and every return a recovery.
export async function assertSawAll(client, ids) {
  await client.waitUntil(`all ${ids.length} items`, () => client.items().length >= ids.length, 60_000);
  assert.deepEqual(client.items().map((item) => item.notification.id), ids, 'each once, in the order of publishing');
  assert.deepEqual(client.items().map((item) => item.notification.seq), ids.map((_, n) => n + 1), 'numbers without a gap');
  await client.waitUntil('the newest counters', () => client.payloads('notifications:unread').at(-1)?.total === ids.length);
  assert.ok(client.returns.every((recovered) => recovered), `a fresh session after ${client.returns}`);
}
