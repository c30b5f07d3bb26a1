// TLS ends at HAProxy: clients come by https and wss, and edges know nothing of it.

import assert from 'node:assert/strict';
import https from 'node:https';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kyc, request, run, until, useStack } from './harness.mjs';

const WAYS = { polling: ['polling'], upgrade: ['polling', 'websocket'], websocket: ['websocket'] };

const ATTACKER = '127.0.0.9';

const stack = useStack({
  edges: 2,
  env: { WW_TRUSTED_PROXIES: '127.0.0.1/32', WW_EXEMPT_NETWORKS: '127.0.0.1/32', WW_SESSION_RATE: '1', WW_SESSION_BURST: '5' },
});

const trusted = () => ({ ca: stack.certificate() });

// GET over TLS: { status, authorized }.
function get(url, options) {
  return new Promise((resolve, reject) => {
    const req = https.get(url, { agent: false, ...options }, (res) => {
      res.resume();
      res.on('end', () => resolve({ status: res.statusCode, authorized: req.socket.authorized, protocol: req.socket.getProtocol() }));
    });
    req.on('error', reject);
  });
}

for (const [way, transports] of Object.entries(WAYS)) {
  stack.test(`a stock client over TLS by ${way} is told what happens, once and in order`, async () => {
    const user = `tls-${way}`;
    const client = await stack.connect(user, { at: 'https', transports, ...trusted() });
    await until('it is on its transport', () => client.socket.io.engine.transport.name === transports.at(-1));
    await stack.publish(Array.from({ length: 20 }, (_, n) => kyc(user, n)));
    await client.waitFor('kyc:update', ({ level }) => level === '19');
    assert.deepEqual(
      client.payloads('kyc:update').map(({ level }) => Number(level)),
      Array.from({ length: 20 }, (_, n) => n),
    );
    const { ok, items } = await client.ask('notifications:list', { limit: 100 });
    assert.deepEqual([ok, items.length], [true, 20]);
  });
}

stack.test('the certificate is for localhost and 127.0.0.1, and nobody has to believe it', async () => {
  const { port } = new URL(stack.url('https'));
  const path = '/socket.io/?EIO=4&transport=polling';
  for (const host of ['localhost', '127.0.0.1']) {
    const { status, authorized } = await get(`https://${host}:${port}${path}`, { family: 4, ...trusted() });
    assert.deepEqual([status, authorized], [200, true], host);
  }
  await assert.rejects(get(`https://127.0.0.1:${port}${path}`), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  await assert.rejects(get(`https://127.0.0.1:${port}${path}`, { ...trusted(), maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }));
});

stack.test('no query string is in the log of HAProxy', async () => {
  const mark = `secret-${process.pid}`;
  await get(`${stack.url('https')}/${mark}-path?token=${mark}-query`, trusted());
  await request(`${stack.url('http')}/${mark}-path?token=${mark}-query`);
  const lines = await until('both lines', () => {
    const found = stack.log('haproxy').split('\n').filter((line) => line.includes(`${mark}-path`));
    return found.length === 2 && found;
  });
  assert.ok(lines.every((line) => !line.includes(`${mark}-query`)), lines.join('\n'));
});

stack.test('what a client claims about its address is deleted, over TLS too', async () => {
  const path = '/socket.io/?EIO=4&transport=polling';
  let claimed = 0;
  // If one were believed, it would be another address each time, and no address would ever be too busy.
  await until('the real address is refused', async () => {
    const headers = { 'X-Forwarded-For': `198.51.100.${++claimed % 250}`, Forwarded: `for=198.51.100.${claimed % 250}` };
    const { status } = await get(`${stack.url('https')}${path}`, { localAddress: ATTACKER, headers, ...trusted() });
    return status === 429;
  });
  const { status } = await get(`${stack.url('https')}${path}`, trusted());
  assert.equal(status, 200, 'others are served');
});

stack.test('a certificate is made once, and its key is for its owner alone', async () => {
  const { stdout } = await run('stat', ['-c', '%a', join(stack.dir, 'tls', 'localhost.pem')]);
  assert.equal(stdout.trim(), '600');
  assert.doesNotMatch(readFileSync(join(stack.dir, 'tls', 'localhost.crt'), 'utf8'), /PRIVATE KEY/);
});
