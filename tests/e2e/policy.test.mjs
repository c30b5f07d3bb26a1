// A signed-in socket lives no longer than its token, unless it is given a new one in time.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until, useStack } from './harness.mjs';

const stack = useStack({ edges: 1 });

const SECOND_MS = 1000;

stack.test('at its end the transport is closed without leaving the namespace, so the client comes back', async () => {
  const client = stack.client(stack.edge(0).http, { auth: { token: await stack.token('short', '--ttl', '3s') }, reconnection: true, reconnectionDelay: 50 });
  await client.connected();
  const { expiresAt } = await client.waitFor('auth:expiring');
  assert.ok(Math.abs(Date.parse(expiresAt) - Date.now()) < 4 * SECOND_MS, expiresAt);
  client.socket.auth = { token: await stack.token('short', '--ttl', '1h') };
  await until('it was closed', () => client.disconnects.length === 1);
  assert.equal(client.disconnects[0], 'transport close');
  await client.connected();
  assert.ok(client.socket.recovered);
});

stack.test('a new token in time keeps it where it is', async () => {
  const client = stack.client(stack.edge(0).http, { auth: { token: await stack.token('fresh', '--ttl', '3s') } });
  await client.connected();
  await client.waitFor('auth:expiring');
  const answer = await client.ask('auth:refresh', { token: await stack.token('fresh', '--ttl', '1h') });
  assert.equal(answer.ok, true);
  assert.ok(Date.parse(answer.expiresAt) > Date.now() + 3000 * SECOND_MS, answer.expiresAt);
  await until('the first token has expired', () => false, 4 * SECOND_MS).catch(() => {});
  assert.deepEqual(client.disconnects, []);
  assert.equal((await client.ask('notifications:unread')).ok, true);
});

stack.test('only a good token of the same user is taken', async () => {
  const client = await stack.connect('keeper');
  for (const [token, code] of [
    [await stack.token('thief'), 'forbidden'],
    ['nonsense', 'unauthorized'],
    [undefined, 'invalid'],
    [7, 'invalid'],
  ]) {
    const { ok, error } = await client.ask('auth:refresh', { token });
    assert.equal(ok, false);
    assert.equal(error.code, code, `${token}`);
  }
  assert.equal((await client.ask('notifications:unread')).ok, true, 'and the socket lives on with the old one');
});

stack.test('a revoked token is not taken, and a refreshed socket is judged by its new one', async () => {
  const client = await stack.connect('renewed');
  const token = await stack.token('renewed', '--claim', 'jti=the-new-one');
  assert.equal((await client.ask('auth:refresh', { token })).ok, true);
  const { code, stderr } = await stack.ww(['revoke', '--token', 'the-new-one']);
  assert.equal(code, 0, stderr);
  await until('it was closed', () => client.disconnects.length === 1);
  const other = await stack.connect('renewed');
  assert.equal((await other.ask('auth:refresh', { token })).error.code, 'unauthorized');
});

stack.test('an operator is closed at the end of the token as well', async () => {
  const client = stack.client(`${stack.edge(0).http}/ops`, { auth: { token: await stack.token('olga', '--claim', 'role=ops', '--ttl', '2s') } });
  await client.connected();
  await until('it was closed', () => client.disconnects.length === 1);
  assert.equal(client.disconnects[0], 'transport close');
});

/* ---- keys that are withdrawn ---- */

const keyFile = (kid) => join(stack.dir, 'keys', `${kid}.hs256`);
const revocations = () => stack.metric(stack.edge(0).admin, 'ww_edge_closes_total', 'reason="revoked"');

// As an operator would: in place at once.
function writeKey(kid, secret = randomBytes(48).toString('base64')) {
  writeFileSync(`${keyFile(kid)}.new`, secret, { mode: 0o600 });
  renameSync(`${keyFile(kid)}.new`, keyFile(kid));
}

const joinWith = async (kid, user, namespace = '', ...args) => stack.client(`${stack.edge(0).http}${namespace}`, { auth: { token: await stack.token(user, '--kid', kid, ...args) } }).connected();

async function joinWithNew(kid, ...rest) {
  writeKey(kid);
  return until(`${kid} is known`, () => joinWith(kid, ...rest).catch(() => undefined));
}

stack.test('with its key every socket goes, in all namespaces, and nobody else', async () => {
  const kid = 'leaked';
  const victims = [await joinWithNew(kid, 'v1'), await joinWith(kid, 'v2'), await joinWith(kid, 'v3', '/ops', '--claim', 'role=ops')];
  const others = [await stack.connect('v1'), await stack.connect('v4')];
  const renewed = await joinWith(kid, 'v5');
  assert.equal((await renewed.ask('auth:refresh', { token: await stack.token('v5') })).ok, true);
  const before = await revocations();
  rmSync(keyFile(kid));
  await Promise.all(victims.map((victim) => victim.disconnected()));
  assert.deepEqual(victims.map((victim) => victim.disconnects), [['transport close'], ['transport close'], ['transport close']]);
  assert.equal(await revocations(), before + victims.length);
  for (const other of [...others, renewed]) {
    assert.equal((await other.ask('notifications:unread')).ok, true);
    assert.deepEqual(other.disconnects, []);
  }
});

stack.test('another key under the same name is another key', async () => {
  const kid = 'rotated';
  const old = await joinWithNew(kid, 'w1');
  writeKey(kid);
  await old.disconnected();
  const fresh = await until('the new one is known', () => joinWith(kid, 'w1').catch(() => undefined));
  writeKey(kid, readFileSync(keyFile(kid)));
  writeKey('unrelated');
  await joinWithNew('unrelated', 'w2');
  assert.deepEqual(fresh.disconnects, [], 'what is written again has not changed');
});
