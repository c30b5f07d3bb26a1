// A TCP proxy that chooses the edge for each connection, so that requests land where a test wants them. Edges
// close a connection after each answer: a connection is a request, or a WebSocket.

import net from 'node:net';

const portOf = (url) => Number(new URL(url).port);

export class Proxy {
  // `pick(number)`: the URL that connection `number` (from 0) goes to. `holdUpgrade()`: a promise until whose end
  // the WebSocket of a session that exists is kept back.
  constructor({ pick, holdUpgrade = async () => {} }) {
    this.pick = pick;
    this.holdUpgrade = holdUpgrade;
    this.count = 0;
    this.sockets = new Set();
    this.server = net.createServer({ noDelay: true }, (client) => this.#take(client));
  }

  static async start(options) {
    const proxy = new Proxy(options);
    await new Promise((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}`;
    return proxy;
  }

  #take(client) {
    this.#keep(client);
    client.once('data', async (head) => {
      client.pause();
      const url = this.pick(this.count++);
      if (/^GET \S*[?&]transport=websocket\S*&sid=/.test(head.toString('latin1'))) await this.holdUpgrade();
      this.#join(client, head, url);
    });
  }

  #join(client, head, url) {
    if (client.destroyed) return;
    const server = this.#keep(net.connect({ host: '127.0.0.1', port: portOf(url), noDelay: true }));
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    server.write(head);
    client.pipe(server);
    server.pipe(client);
  }

  #keep(socket) {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
    return socket;
  }

  stop() {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}
