// What the tests of the packages share: a TCP proxy that can be cut, and clients that write down what they show.

import net from 'node:net';
import { WalletwireClient } from '../../clients/web/dist/index.js';

// A network between a client and an edge: every connection through it can be cut at once.
export class Network {
  constructor(target) {
    this.target = target;
    this.pairs = new Set();
    this.server = net.createServer({ noDelay: true }, (client) => this.#join(client));
  }

  // `target()`: the URL of the edge that the next connection goes to.
  static async open(target) {
    const network = new Network(target);
    await new Promise((resolve) => network.server.listen(0, '127.0.0.1', resolve));
    network.server.unref(); // a test that fails closes nothing, and has to end all the same
    network.url = `http://127.0.0.1:${network.server.address().port}`;
    return network;
  }

  #join(client) {
    const { hostname, port } = new URL(this.target());
    const server = net.connect({ host: hostname, port: Number(port), noDelay: true });
    const pair = [client, server];
    this.pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        this.pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
    client.pipe(server);
    server.pipe(client);
  }

  cut() {
    for (const pair of this.pairs) for (const socket of pair) socket.destroy();
  }

  close() {
    this.cut();
    this.server.close();
  }
}

const EVENTS = [
  'authExpiring',
  'notification',
  'unread',
  'inboxChanged',
  'balanceUpdate',
  'transferUpdate',
  'presence',
  'chatMessage',
  'chatRead',
  'typing',
  'resync',
];

// Resolves with the value of `probe` once it is true, looking again after each change and event of a client, when its
// other listeners have been told too.
export function until(client, what, probe, timeoutMs = 20_000) {
  return new Promise((resolve, reject) => {
    const look = () => {
      const value = probe();
      if (value) done(resolve, value);
    };
    const later = () => queueMicrotask(look);
    const undo = [client.connection, client.inbox, client.unread, client.people].map((store) => store.subscribe(later));
    undo.push(...EVENTS.map((name) => client.on(name, later)));
    const done = (settle, value) => {
      clearTimeout(timer);
      for (const stop of undo) stop();
      settle(value);
    };
    const timer = setTimeout(() => done(reject, new Error(`not within ${timeoutMs} ms: ${what}`)), timeoutMs);
    look();
  });
}

export const online = (client) => until(client, 'online', () => client.connection.get().status === 'online');

// A client of `user` with short waits between attempts; it is closed with the stack's other clients.
export function sdkClient(stack, options = {}) {
  const client = new WalletwireClient({ backoff: { baseMs: 50, maxMs: 1000 }, ...options });
  stack.clients.push({ close: () => client.disconnect() });
  return client;
}
