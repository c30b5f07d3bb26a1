import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Manager } from 'socket.io-client';
import { afterEach, expect, test, vi } from 'vitest';

import { type ConnectionState } from '../src/link.js';
import { SocketLink } from '../src/socket-link.js';
import { ofOneUser } from '../src/token.js';

const BASE_MS = 4;
const OPEN = `0${JSON.stringify({ sid: 'x', upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1e6 })}`;
const tokenOf = (user: string): string => `x.${Buffer.from(JSON.stringify({ sub: user })).toString('base64url')}.y`;

let server: Server | undefined;
let link: SocketLink | undefined;

afterEach(() => {
  link?.close();
  server?.closeAllConnections();
  server?.close();
  vi.restoreAllMocks();
});

/** A server of Engine.IO over polling, which opens every transport and closes it when it is sent something. */
async function listen(take: (packet: string) => void): Promise<string> {
  server = createServer((request, response) => {
    const isOpening = !request.url?.includes('sid=');
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.method === 'GET') {
        response.end(isOpening ? OPEN : '6');
        return;
      }
      take(body);
      response.writeHead(400).end();
    });
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function makeLink(url: string, provide: () => string): SocketLink {
  return new SocketLink({
    url,
    provide: ofOneUser(provide, () => undefined),
    renewable: true,
    backoff: { baseMs: BASE_MS, maxMs: 1000 },
    socket: { transports: ['polling'] },
  });
}

function until(made: SocketLink, isIt: (state: ConnectionState) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = made.state.subscribe(() => {
      if (!isIt(made.state.get())) return;
      stop();
      resolve();
    });
  });
}

test('a server that opens transports and answers no CONNECT is left alone for longer each time', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.999_999);
  const delay = vi.spyOn(Manager.prototype, 'reconnectionDelay');
  const waits: unknown[] = [];
  link = makeLink(await listen(() => undefined), () => tokenOf('ann'));
  const made = link;
  const done = until(made, (state) => state.status === 'reconnecting' && state.attempt === 6);
  made.open({ online: () => undefined, event: () => undefined });
  made.state.subscribe(() => {
    if (made.state.get().status === 'connecting') waits.push(delay.mock.lastCall?.[0]);
  });
  await done;
  expect(waits).toEqual([3, 7, 15, 31, 63]);
});

test('a token of another user is not sent, and is the end', async () => {
  const users = ['ann', 'bob'];
  const sent: string[] = [];
  const url = await listen((packet) => sent.push(packet));
  link = makeLink(url, () => tokenOf(users.shift() ?? ''));
  const failed = until(link, ({ status }) => status === 'failed');
  link.open({ online: () => undefined, event: () => undefined });
  await failed;
  expect(link.state.get()).toEqual({ status: 'failed', reason: 'token_other_user' });
  expect(sent.filter((packet) => packet.startsWith('40'))).toEqual([`40${JSON.stringify({ token: tokenOf('ann') })}`]);
});
