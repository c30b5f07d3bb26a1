// Who is let in, who is refused with which code, and how long a connection lives.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request, useStack } from './harness.mjs';
import { RawSocket } from './raw.mjs';

const ISSUER = 'https://wallet.test';
const AUDIENCE = 'walletwire';

const stack = useStack({
  edges: 1,
  env: {
    WW_TOKEN_ISSUER: ISSUER,
    WW_TOKEN_AUDIENCE: AUDIENCE,
    WW_PING_INTERVAL: '1s',
    WW_PING_TIMEOUT: '2s',
    WW_CONNECT_TIMEOUT: '3s',
  },
});

const now = () => Math.floor(Date.now() / 1000);
const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

// The same token with another header, signed with what its key file holds.
function withHeader(token, header) {
  const payload = token.split('.')[1];
  const head = encode(header);
  const secret = readFileSync(join(stack.dir, 'keys', 'dev.hs256'));
  const hash = header.alg === 'HS512' ? 'sha512' : 'sha256';
  return `${head}.${payload}.${createHmac(hash, secret).update(`${head}.${payload}`).digest('base64url')}`;
}

function withSignatureOf(token, other) {
  return [...token.split('.').slice(0, 2), other.split('.')[2]].join('.');
}

async function tokenOfUnknownKey() {
  const dir = mkdtempSync(join(tmpdir(), 'ww-keys-'));
  writeFileSync(join(dir, 'stranger.hs256'), 'k'.repeat(64), { mode: 0o600 });
  return stack.token('alice', '--keys-dir', dir, '--kid', 'stranger');
}

async function revokedToken() {
  const token = await stack.token('alice');
  const { jti } = decode(token.split('.')[1]);
  const { code, stderr } = await stack.ww(['revoke', '--token', jti, '--reason', 'lost phone']);
  assert.equal(code, 0, stderr);
  return token;
}

const claims = (...pairs) => pairs.flatMap((pair) => ['--claim', pair]);

const REFUSALS = [
  ['token_missing', 'no auth at all', async () => ({})],
  ['token_missing', 'auth without a token', async () => ({ auth: { name: 'alice' } })],
  ['token_malformed', 'not a JWT', async () => ({ auth: { token: 'let me in' } })],
  ['token_malformed', 'three parts of nothing', async () => ({ auth: { token: 'a.b.c' } })],
  ['token_malformed', 'larger than 4 KiB', async () => ({ auth: { token: `${await stack.token('alice')}${'A'.repeat(5000)}` } })],
  [
    'token_expired',
    'exp in the past',
    async () => ({ auth: { token: await stack.token('alice', ...claims(`iat=${now() - 7200}`, `exp=${now() - 3600}`)) } }),
  ],
  [
    'token_not_yet',
    'nbf in the future',
    async () => ({ auth: { token: await stack.token('alice', ...claims(`nbf=${now() + 600}`)) } }),
  ],
  [
    'token_signature',
    'the signature of another token',
    async () => ({ auth: { token: withSignatureOf(await stack.token('alice'), await stack.token('bob')) } }),
  ],
  [
    'token_algorithm',
    'alg none',
    async () => ({ auth: { token: `${encode({ alg: 'none', kid: 'dev' })}.${(await stack.token('alice')).split('.')[1]}.` } }),
  ],
  [
    'token_algorithm',
    'HS512 with the key of an HS256 file',
    async () => ({ auth: { token: withHeader(await stack.token('alice'), { alg: 'HS512', typ: 'JWT', kid: 'dev' }) } }),
  ],
  [
    'token_algorithm',
    'RS256 claimed for an HS256 key',
    async () => ({ auth: { token: withHeader(await stack.token('alice'), { alg: 'RS256', typ: 'JWT', kid: 'dev' }) } }),
  ],
  ['token_key', 'a key that nobody knows', async () => ({ auth: { token: await tokenOfUnknownKey() } })],
  ['token_issuer', 'another issuer', async () => ({ auth: { token: await stack.token('alice', '--issuer', 'https://evil.test') } })],
  ['token_audience', 'for another audience', async () => ({ auth: { token: await stack.token('alice', '--audience', 'bank') } })],
  ['token_revoked', 'revoked by its jti', async () => ({ auth: { token: await revokedToken() } })],
  [
    'token_in_query',
    'a good token in the query',
    async () => ({ query: { token: await stack.token('alice') }, auth: { token: await stack.token('alice') } }),
  ],
];

stack.test('a good token is let in', async () => {
  const client = await stack.connect('alice');
  assert.ok(client.socket.id);
  assert.match(client.packets[0], /^0\{"sid":"[A-Za-z0-9_-]+"/);
});

for (const [code, what, options] of REFUSALS) {
  stack.test(`${code}: ${what}`, async () => {
    const client = stack.client(stack.edge(0).http, await options());
    const { message, data } = await client.refused();
    assert.deepEqual(data, { code });
    assert.ok(message.length > 0);
  });
}

stack.test('a refusal leaves the connection open for another try', async () => {
  const client = stack.client(stack.edge(0).http, { auth: { token: 'nonsense' } });
  await client.refused();
  client.socket.auth = { token: await stack.token('alice') };
  const connected = client.connected();
  client.socket.connect();
  await connected;
});

async function revokeUser(user) {
  const { code, stderr } = await stack.ww(['revoke', '--user', user, '--reason', 'stolen']);
  assert.equal(code, 0, stderr);
}

stack.test('revoking a user refuses every token issued before', async () => {
  const token = await stack.token('mallory');
  await stack.client(stack.edge(0).http, { auth: { token } }).connected();
  await revokeUser('mallory');
  const again = await stack.client(stack.edge(0).http, { auth: { token } }).refused();
  assert.deepEqual(again.data, { code: 'token_revoked' });
});

stack.test('revoking a user ends live sockets', async () => {
  const client = await stack.connect('trudy');
  await revokeUser('trudy');
  await client.disconnected();
});

stack.test('a namespace that does not exist is refused, the connection lives on', async () => {
  const client = await stack.connect('alice');
  const other = client.socket.io.socket('/nowhere', { auth: { token: await stack.token('alice') } });
  const error = await new Promise((resolve) => {
    other.once('connect_error', resolve);
    other.connect();
  });
  assert.equal(error.message, 'Invalid namespace');
  assert.equal((await client.ask('notifications:unread')).ok, true);
});

stack.test('pings keep a stock client connected', async () => {
  const client = await stack.connect('alice');
  let pings = 0;
  client.socket.io.engine.on('ping', () => pings++);
  await new Promise((resolve) => client.socket.io.engine.on('ping', () => pings >= 3 && resolve()));
  assert.equal(client.socket.connected, true);
});

stack.test('a client that answers no ping is closed', async () => {
  const raw = await RawSocket.upgrade(stack.edge(0).http);
  raw.answerPings = false;
  raw.sendText(`40${JSON.stringify({ token: await stack.token('alice') })}`);
  await raw.waitText((text) => text.startsWith('40'));
  await raw.waitText((text) => text === '2');
  await raw.ended();
});

stack.test('a connection that joins no namespace is closed', async () => {
  const raw = await RawSocket.upgrade(stack.edge(0).http);
  await raw.ended();
  assert.equal(raw.closeCode, undefined, 'an empty close frame: the client comes back');
});

stack.test('what is no handshake is answered with its Engine.IO code', async () => {
  const base = `${stack.edge(0).http}/socket.io/`;
  const codeOf = async (query, options) => {
    const { status, body } = await request(`${base}${query}`, options);
    assert.equal(status, 400, `${query}: ${body}`);
    return JSON.parse(body).code;
  };
  assert.equal(await codeOf('?EIO=4'), 0);
  assert.equal(await codeOf('?EIO=4&transport=carrier-pigeon'), 0);
  assert.equal(await codeOf('?EIO=4&transport=constructor'), 0);
  assert.equal(await codeOf('?EIO=4&transport=websocket&sid=nobody'), 1);
  assert.equal(await codeOf('?EIO=4&transport=websocket'), 3);
  assert.equal((await request(`${stack.edge(0).http}/nothing/here`)).status, 404);
});

stack.test('an upgrade of another protocol revision is refused before the 101', async () => {
  const answer = await RawSocket.httpAnswer(stack.edge(0).http, { query: 'EIO=3&transport=websocket' });
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.doesNotMatch(answer, /101/);
});

stack.test('tokens, sids and the key are in no log', async () => {
  const token = await stack.token('alice');
  await stack.client(stack.edge(0).http, { auth: { token } }).connected();
  await stack.client(stack.status().http, { query: { token }, auth: { token } }).refused();
  for (const name of ['edge-1', 'haproxy', 'notifications']) {
    assert.ok(!stack.log(name).includes(token.split('.')[2]), `the log of ${name} holds no signature`);
  }
});
