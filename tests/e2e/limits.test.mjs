// What is bounded, met on purpose: each limit has its error and its counter, and whoever keeps to them notices
// nothing. Attackers come from other addresses of this machine than everybody else.

import assert from 'node:assert/strict';
import { request, until, useStack } from './harness.mjs';

const FRIEND = '127.0.0.1'; // exempt, and trusted as a proxy, which HAProxy is
const NETWORK = `${FRIEND}/32`;

const stack = useStack({
  edges: 1,
  env: { WW_TRUSTED_PROXIES: NETWORK, WW_EXEMPT_NETWORKS: NETWORK, WW_SESSION_RATE: '1', WW_SESSION_BURST: '5' },
});

const edgeUrl = () => stack.edge(0).http;
const proxyUrl = () => stack.url('http');
const metric = (name, label) => stack.metric(stack.edge(0).admin, name, label);

let addresses = 1;
const freshAddress = () => `127.0.0.${++addresses}`;

/* ---- new sessions of an address ---- */

const refusals = () => metric('ww_edge_handshakes_refused_total', 'reason="rate_limited"');
const handshake = (url, from, headers = {}) => request(`${url}/socket.io/?EIO=4&transport=polling`, { from, headers });

// Until one is refused: that answer, and those before it.
async function exhaust(url, from, headers) {
  const taken = [];
  const refused = await until(`${from} is refused`, async () => {
    const answer = await handshake(url, from, headers?.(taken.length));
    if (answer.status === 429) return answer;
    assert.equal(answer.status, 200, answer.body);
    taken.push(answer);
    return undefined;
  });
  return { taken, refused };
}

for (const [where, url] of [
  ['at an edge', edgeUrl],
  ['through HAProxy', proxyUrl],
]) {
  stack.test(`an address that begins too many sessions is told to wait, and nobody else is: ${where}`, async () => {
    const [from, before] = [freshAddress(), await refusals()];
    const { taken, refused } = await exhaust(url(), from);
    assert.ok(taken.length >= 5, `${taken.length} were let in`);
    assert.ok(Number(refused.headers['retry-after']) >= 1, refused.headers['retry-after']);
    assert.equal(refused.headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(refused.body), { code: 6, message: 'Too many requests' });
    assert.equal(await refusals(), before + 1);
    assert.equal((await handshake(url(), freshAddress())).status, 200);
    assert.equal((await handshake(url(), FRIEND)).status, 200, 'who is exempt');
  });

  stack.test(`another address in X-Forwarded-For is no other address: ${where}`, async () => {
    const from = freshAddress();
    const claims = (n) => ({ 'X-Forwarded-For': `198.51.100.${n}, ${FRIEND}`, Forwarded: `for=198.51.100.${n}` });
    const { taken } = await exhaust(url(), from, claims);
    assert.ok(taken.length < 50, `${taken.length} were let in`);
    assert.equal((await handshake(url(), from, { 'X-Forwarded-For': FRIEND })).status, 429);
  });

  stack.test(`requests of a session are not counted: ${where}`, async () => {
    const from = freshAddress();
    const { taken } = await exhaust(url(), from);
    const { sid } = JSON.parse(taken[0].body.slice(1));
    const target = `${url()}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    const { status, body } = await request(target, { from, method: 'POST', body: '40{"token":"none"}' });
    assert.deepEqual([status, body], [200, 'ok']);
    assert.match((await request(target, { from })).body, /^44\{"message"/);
  });
}

stack.test('a refused WebSocket is told the same', async () => {
  const from = freshAddress();
  await exhaust(edgeUrl(), from);
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'x'.repeat(22) + '==' };
  const answer = await request(`${edgeUrl()}/socket.io/?EIO=4&transport=websocket`, { from, headers });
  assert.deepEqual([answer.status, answer.body], [429, 'Too many requests']);
  assert.ok(Number(answer.headers['retry-after']) >= 1);
});

stack.test('what a trusted proxy says of its clients is believed, each by its own', async () => {
  const of = (address) => () => ({ 'X-Forwarded-For': address });
  const { taken } = await exhaust(edgeUrl(), FRIEND, of('203.0.113.1'));
  assert.ok(taken.length >= 5);
  assert.equal((await handshake(edgeUrl(), FRIEND, of('203.0.113.2')())).status, 200);
  await exhaust(edgeUrl(), FRIEND, (n) => ({ 'X-Forwarded-For': `2001:db8::${n + 1}` }));
  assert.equal((await handshake(edgeUrl(), FRIEND, of('2001:db8:0:1::1')())).status, 200, 'another /64');
});
