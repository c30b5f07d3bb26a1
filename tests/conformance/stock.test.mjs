// The stock client, over every way to connect and with both parsers, against each server.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';
import * as msgpack from 'socket.io-msgpack-parser';
import { insist, tellAttempts } from './attempts.mjs';
import { peerName, startPeers, stopPeers, WITH_OURS } from './peers.mjs';

const WAIT_MS = 10_000;
const WAYS = [['polling'], ['polling', 'websocket'], ['websocket']];
const PARSERS = { json: {}, msgpack: { parser: msgpack } };
const MANY = 50;

// Fifty clients in one process may be too slow for a pong within 200 ms: these come back.
const PERSISTENT = { reconnection: true, reconnectionDelay: 100, retries: 5, ackTimeout: 2000 };

let peers;

class Client {
  constructor(url, { nsp = '', ...options }) {
    this.socket = io(`${url}${nsp}`, { forceNew: true, reconnection: false, ...options });
    this.received = [];
    this.socket.on('connect', () => (this.id = this.socket.id));
    this.socket.onAny((name, ...args) => {
      this.received.push([name, ...args]);
      this.look?.();
    });
  }

  // Resolves with the connected client, rejects with what the server said instead.
  connected() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('not connected')), WAIT_MS);
      this.socket.once('connect', () => resolve(this));
      this.socket.once('connect_error', reject);
      this.socket.once('disconnect', (reason) => reject(new Error(reason)));
      this.socket.on('connect', () => clearTimeout(timer));
    });
  }

  // The first `count` events of that name, in order.
  async events(name, count = 1) {
    const ofName = () => this.received.filter(([each]) => each === name).map(([, ...args]) => args);
    await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`${ofName().length} of ${count} ${name}: ${why}`));
      const timer = setTimeout(() => fail('timeout'), WAIT_MS);
      this.socket.once('disconnect', fail);
      this.look = () => {
        if (ofName().length < count) return;
        clearTimeout(timer);
        this.socket.off('disconnect', fail);
        resolve();
      };
      this.look();
    });
    return ofName().slice(0, count);
  }

  ask(...args) {
    return this.socket.timeout(WAIT_MS).emitWithAck('message-with-ack', ...args);
  }

  close() {
    this.socket.disconnect();
  }
}

const VALUES = [1, '2', { 3: [true, null] }, -1.5, '', 'żółć €uro 😀'];

const FACTS = {
  'the auth payload arrives': async (open) => {
    const client = await open({ auth: { token: 'abc', list: [1, { a: 'ż' }] } }).connected();
    assert.deepEqual(await client.events('auth'), [[{ token: 'abc', list: [1, { a: 'ż' }] }]]);
  },

  'without auth it is an empty object': async (open) => {
    const client = await open({ nsp: '/custom' }).connected();
    assert.deepEqual(await client.events('auth'), [[{}]]);
  },

  'an unknown namespace is refused by name': async (open) => {
    await assert.rejects(open({ nsp: '/unknown' }).connected(), { message: 'Invalid namespace' });
  },

  'two namespaces share a connection': async (open) => {
    const root = await open({}).connected();
    const custom = root.socket.io.socket('/custom');
    await new Promise((resolve) => custom.once('connect', resolve));
    assert.notEqual(custom.id, root.socket.id);
    custom.disconnect();
    assert.deepEqual(await root.ask(1), 1);
  },

  'events come back with the same arguments': async (open) => {
    const client = await open({}).connected();
    client.socket.emit('message', ...VALUES);
    assert.deepEqual(await client.events('message-back'), [VALUES]);
  },

  'bytes go both ways': async (open) => {
    const client = await open({}).connected();
    const bytes = randomBytes(1000);
    client.socket.emit('message', bytes, { deep: [bytes.subarray(0, 3)] }, 'text', Buffer.alloc(0));
    assert.deepEqual(await client.events('message-back'), [[bytes, { deep: [bytes.subarray(0, 3)] }, 'text', Buffer.alloc(0)]]);
  },

  'acknowledgements answer with values and bytes': async (open) => {
    const client = await open({}).connected();
    const answers = await Promise.all([client.ask('a'), client.ask({ b: [1] }), client.ask(Buffer.from([1, 2, 3]))]);
    assert.deepEqual(answers, ['a', { b: [1] }, Buffer.from([1, 2, 3])]);
  },

  'an event that nobody answers runs into its timeout': async (open) => {
    const client = await open({}).connected();
    await assert.rejects(client.socket.timeout(200).emitWithAck('nobody', 1), { message: 'operation has timed out' });
    assert.equal(await client.ask('still there'), 'still there');
  },

  'with retries every event is answered once, in order': async (open) => {
    const client = await open({ retries: 3, ackTimeout: WAIT_MS }).connected();
    const answers = [];
    const each = Array.from(
      { length: 20 },
      (_, i) =>
        new Promise((resolve, reject) => {
          client.socket.emit('message-with-ack', i, (error, value) => {
            answers.push(value);
            if (error) reject(error);
            else resolve();
          });
        }),
    );
    await Promise.all(each);
    assert.deepEqual(
      answers,
      Array.from({ length: 20 }, (_, i) => i),
    );
  },

  'what is sent at once, while the transport changes, stays in order': async (open) => {
    const client = open({});
    for (let i = 0; i < 200; i++) client.socket.emit('message', i);
    const seen = await client.events('message-back', 200);
    assert.deepEqual(
      seen.flat(),
      Array.from({ length: 200 }, (_, i) => i),
    );
  },

  'messages of 100 KB': async (open) => {
    const client = await open({}).connected();
    const text = 'x€'.repeat(50_000);
    const bytes = randomBytes(100_000);
    client.socket.emit('message', text);
    client.socket.emit('message', bytes);
    assert.deepEqual(await client.events('message-back', 2), [[text], [bytes]]);
  },

  'a quiet client stays connected': async (open) => {
    const client = await open({}).connected();
    await sleep(1200);
    assert.equal(await client.ask('still there'), 'still there');
  },

  'leaving and coming back makes a new socket': async (open) => {
    const client = await open({}).connected();
    const { id } = client.socket;
    client.close();
    const back = client.connected();
    client.socket.connect();
    await back;
    assert.notEqual(client.socket.id, id);
    assert.equal(await client.ask(1), 1);
  },

  [`${MANY} clients at once`]: async (open) => {
    const clients = Array.from({ length: MANY }, () => open(PERSISTENT));
    const answers = await Promise.all(clients.map((client, i) => client.ask(i)));
    assert.deepEqual(
      answers,
      Array.from({ length: MANY }, (_, i) => i),
    );
    assert.equal(new Set(clients.map((client) => client.id)).size, MANY);
  },
};

// The client really ends on the transport that it is meant to.
async function checkTransport(open, transports) {
  const client = await open({}).connected();
  const { engine } = client.socket.io;
  if (transports.length > 1 && engine.transport.name === 'polling') {
    await new Promise((resolve) => engine.once('upgrade', resolve));
  }
  assert.equal(engine.transport.name, transports.at(-1));
  assert.equal(await client.ask('there'), 'there');
}

async function withClients(url, options, fact) {
  const clients = [];
  let timer;
  let fail;
  const failed = new Promise((_, reject) => {
    fail = reject;
    timer = setTimeout(() => reject(new Error('timeout')), 2 * WAIT_MS);
  });
  const lost = (reason) => reason !== 'io client disconnect' && fail(new Error(`disconnected: ${reason}`));
  const open = (more) => {
    const client = new Client(url, { ...options, ...more });
    if (!more.reconnection) client.socket.on('disconnect', lost);
    clients.push(client);
    return client;
  };
  try {
    await Promise.race([fact(open), failed]);
  } finally {
    clearTimeout(timer);
    for (const client of clients) client.close();
  }
}

describe('the stock client', { concurrency: false }, () => {
  before(async () => {
    peers = await startPeers();
  });
  after(async () => {
    tellAttempts();
    if (peers) await stopPeers(peers);
  });

  for (const who of WITH_OURS ? ['reference', 'ours'] : ['reference']) {
    for (const [parser, encoding] of Object.entries(PARSERS)) {
      for (const transports of WAYS) {
        const prefix = `${who}, ${parser}, ${transports}`;
        const facts = { ...FACTS, 'the transport is the one asked for': (open) => checkTransport(open, transports) };
        for (const [name, fact] of Object.entries(facts)) {
          const run = () => withClients(peers.get(peerName(who, parser)).url, { transports, ...encoding }, fact);
          it(`${prefix}: ${name}`, () => insist(`${prefix}: ${name}`, run));
        }
      }
    }
  }
});
