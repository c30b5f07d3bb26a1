// Namespaces beside "/", and the pages that may connect.

import assert from 'node:assert/strict';
import { request, useStack } from './harness.mjs';
import { RawSocket } from './raw.mjs';

const stack = useStack({ edges: 1 });

const nsp = (name) => stack.edge(0).http + name;
const ops = (user) => stack.token(user, '--claim', 'role=ops');

for (const transports of [['websocket'], ['polling']]) {
  stack.test(`${transports}: /ops is for the role ops, and nothing can be asked there`, async () => {
    const operator = stack.client(nsp('/ops'), { transports, auth: { token: await ops('olga') } });
    await operator.connected();
    const answer = await operator.ask('notifications:unread', {});
    assert.equal(answer.ok, false);
    assert.equal(answer.error.code, 'not_found');
  });

  stack.test(`${transports}: without the role it is refused`, async () => {
    const error = await stack.client(nsp('/ops'), { transports, auth: { token: await stack.token('nosy') } }).refused();
    assert.equal(error.data.code, 'token_role');
  });

  stack.test(`${transports}: another namespace is none`, async () => {
    const error = await stack.client(nsp('/nothing'), { transports, auth: { token: await ops('olga') } }).refused();
    assert.equal(error.message, 'Invalid namespace');
  });
}

stack.test('two namespaces share a connection, and one that is refused leaves the other alone', async () => {
  const client = await stack.connect('both');
  const refused = client.socket.io.socket('/ops', { auth: { token: await stack.token('both') } });
  const error = await new Promise((resolve, reject) => {
    refused.on('connect', () => reject(new Error('was let in')));
    refused.on('connect_error', resolve);
    refused.connect();
  });
  assert.equal(error.data.code, 'token_role');
  assert.ok(client.socket.connected);
  await stack.publish([{ id: 'both-1', userIds: ['both'], kyc: { status: 'approved', level: '1', message: '' } }]);
  await client.waitFor('kyc:update');
});

stack.test('without a folder to serve there is nothing beside the sockets', async () => {
  for (const path of ['/', '/index.html', '/ops']) assert.equal((await request(stack.edge(0).http + path)).status, 404, path);
});

stack.test('a page of another origin is refused on both transports, one of our own is let in', async () => {
  const { host } = new URL(stack.edge(0).http);
  const polling = (origin) => request(`${stack.edge(0).http}/socket.io/?EIO=4&transport=polling`, { headers: origin && { Origin: origin } });
  const foreign = await polling('https://evil.example');
  assert.equal(foreign.status, 403);
  assert.equal(foreign.body, '{"code":4,"message":"Forbidden"}');
  assert.equal(foreign.headers['access-control-allow-origin'], undefined);
  assert.match(await RawSocket.httpAnswer(stack.edge(0).http, { headers: ['Origin: https://evil.example'] }), /^HTTP\/1\.1 403 [^]*Forbidden$/);
  assert.equal((await polling(`https://${host}`)).status, 200);
  assert.equal((await polling(undefined)).status, 200);
});
