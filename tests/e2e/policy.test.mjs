// A signed-in socket lives no longer than its token, unless it is given a new one in time.

import assert from 'node:assert/strict';
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
