// The reference server with the application of ww-conformance: raw Engine.IO that sends everything back,
// and Socket.IO with two namespaces. --parser=msgpack encodes Socket.IO with socket.io-msgpack-parser.
//
// Prints "listening on PORT"; ends with its standard input, so that it cannot outlive a test that crashed.

import { createServer } from 'node:http';
import { Server as EngineServer } from 'engine.io';
import { Server as SocketServer } from 'socket.io';
import * as msgpack from 'socket.io-msgpack-parser';

const ENGINE = { pingInterval: 300, pingTimeout: 200, maxHttpBufferSize: 1e6, cors: { origin: '*' } };

const listen = process.argv.find((arg) => arg.startsWith('--listen='))?.slice('--listen='.length) ?? '127.0.0.1:3000';
const parser = process.argv.includes('--parser=msgpack') ? { parser: msgpack } : {};
const [host, port] = listen.split(':');

// The arguments of an event, and the function behind them if the client wants an answer.
function split(args) {
  const answer = typeof args.at(-1) === 'function' ? args.at(-1) : undefined;
  return { values: answer ? args.slice(0, -1) : args, answer };
}

const server = createServer((request, response) => response.writeHead(404).end());

const engine = new EngineServer(ENGINE);
engine.attach(server, { path: '/engine.io/' });
engine.on('connection', (socket) => socket.on('data', (data) => socket.send(data)));

const io = new SocketServer(server, { ...ENGINE, ...parser, path: '/socket.io/', connectTimeout: 1000, serveClient: false });
io.on('connection', (socket) => {
  socket.emit('auth', socket.handshake.auth);
  socket.on('message', (...args) => socket.emit('message-back', ...split(args).values));
  socket.on('message-with-ack', (...args) => {
    const { values, answer } = split(args);
    answer?.(...values);
  });
});
io.of('/custom').on('connection', (socket) => socket.emit('auth', socket.handshake.auth));

server.listen(Number(port), host, () => console.log(`listening on ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
