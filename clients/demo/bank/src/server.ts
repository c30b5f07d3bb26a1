// The HTTP side: bounded bodies, one table of routes, every failure as JSON, and nothing of ours in what it says.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { type Refusal } from './api.js';
import { describe, log } from './log.js';
import { countRequest } from './metrics.js';
import { Refused, STATUS } from './refused.js';
import { type Asked, type Handler, type Routes } from './routes.js';

const BODY_MAX = 16 * 1024;
const BUSY_MAX = 64; // requests at work
const IN_TIME_MS = 10_000;
const KEEP_ALIVE_MS = 75_000; // longer than a load balancer keeps a connection that nobody uses
const KEY = /^[A-Za-z0-9_-]{1,64}$/;

const HEADERS = {
  'Walletwire-Example': 'a demonstration, not a bank',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
} as const;

export function makeServer(routes: Routes): Server {
  let busy = 0;
  const server = createServer({
    requestTimeout: IN_TIME_MS,
    headersTimeout: IN_TIME_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    busy++;
    void serve(routes, request, response, busy > BUSY_MAX).finally(() => busy--);
  });
  return server;
}

async function serve(
  routes: Routes,
  request: IncomingMessage,
  response: ServerResponse,
  isBusy: boolean,
): Promise<void> {
  let route = 'none'; // what nobody serves is not counted by its name: there is no end of those
  try {
    if (isBusy) throw new Refused('unavailable', 'too many requests are at work');
    const [name, handler] = find(routes, request);
    route = name;
    const answer = await handler(await read(request));
    send(response, 200, answer);
  } catch (error) {
    const refusal = refusalOf(error, route);
    if (refusal.code === 'method') response.setHeader('Allow', allowed(routes, pathOf(request)));
    // What was not read of a body would be taken for the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    request.resume();
    send(response, STATUS[refusal.code], { error: refusal });
  }
  countRequest(route, response.statusCode);
}

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1).join();

const allowed = (routes: Routes, path: string): string =>
  ['GET', 'POST'].filter((method) => routes.has(`${method} ${path}`)).join(', ');

function find(routes: Routes, request: IncomingMessage): [string, Handler] {
  const path = pathOf(request);
  const name = `${request.method ?? ''} ${path}`;
  const handler = routes.get(name);
  if (handler) return [name, handler];
  if (allowed(routes, path)) throw new Refused('method', 'this route has another method');
  throw new Refused('not_found', 'there is no such route');
}

// Pages of other origins can send forms and plain texts here, but not this content type.
async function read(request: IncomingMessage): Promise<Asked> {
  if (request.method === 'GET') return { body: undefined };
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new Refused('media_type', 'must be application/json', { field: 'Content-Type' });
  const key = request.headers['idempotency-key'];
  if (key !== undefined && !KEY.test(String(key)))
    throw new Refused('invalid', 'must be 1 to 64 of A-Z, a-z, 0-9, - and _', { field: 'Idempotency-Key' });
  return { body: parse(await readBody(request)), key: key as string | undefined };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = new Refused('too_large', `has more than ${BODY_MAX} bytes`, { field: 'body' });
  if (Number(request.headers['content-length'] ?? 0) > BODY_MAX) throw tooLarge;
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('error', () => undefined); // of a client that went away: the loop is told as well
  try {
    // The connection has to live on for the answer, also when the rest is not read.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > BODY_MAX) throw tooLarge;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause === tooLarge ? tooLarge : new Refused('invalid', 'did not arrive whole', { field: 'body', cause });
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refused('invalid', 'is no JSON', { field: 'body' }); // the parser's own words quote the body
  }
}

function refusalOf(error: unknown, route: string): Refusal['error'] {
  if (!(error instanceof Refused)) {
    log.error(`${route} failed: ${describe(error)}`);
    return { code: 'internal', message: 'something went wrong here' };
  }
  const { code, message, field } = error;
  return { code, message, ...(field !== undefined && { field }) };
}

function send(response: ServerResponse, status: number, answer: object | string): void {
  const isText = typeof answer === 'string';
  response
    .writeHead(status, { ...HEADERS, 'Content-Type': isText ? 'text/plain; charset=utf-8' : 'application/json' })
    .end(isText ? answer : JSON.stringify(answer));
}
