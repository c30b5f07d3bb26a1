// Files that an edge serves from memory: what is found, what is told about it, and what can not be reached.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { PRESET, request, ROOT, run, until, useStack } from './harness.mjs';

const HTTP_THREADS = 8; // the edge's setting, as it is without one
const PAGE = `<!doctype html><title>Wallet</title>${'<p>hello</p>'.repeat(100)}`;
const SCRIPT = '/assets/main-Bx3k9aZ1.js';
const LARGE = randomBytes(4 << 20);

const around = mkdtempSync(join(tmpdir(), 'ww-static-'));
const folder = join(around, 'public');
mkdirSync(join(folder, 'assets'), { recursive: true });
writeFileSync(join(around, 'secret.txt'), 'a secret beside the folder');
writeFileSync(join(folder, '.env'), 'a secret in the folder');
writeFileSync(join(folder, 'index.html'), PAGE);
writeFileSync(join(folder, 'bank.html'), 'the bank');
writeFileSync(join(folder, 'ops.html'), 'operations');
writeFileSync(join(folder, SCRIPT), 'export {};'.repeat(50));
writeFileSync(join(folder, 'large.png'), LARGE);
after(() => rmSync(around, { recursive: true }));

const stack = useStack({ edges: 1, env: { WW_STATIC_DIR: folder } });

const get = (path, options) => request(stack.edge(0).http + path, options);

// One request whose target no library touches: { status, headers, body } with a body of bytes.
function raw(target, { method = 'GET', headers = [] } = {}) {
  const { hostname, port, host } = new URL(stack.edge(0).http);
  return new Promise((resolve, reject) => {
    const chunks = [];
    const socket = net.connect({ host: hostname, port: Number(port) });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      const all = Buffer.concat(chunks);
      const end = all.indexOf('\r\n\r\n');
      const [first, ...lines] = all.subarray(0, end).toString().split('\r\n');
      const pairs = lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]);
      resolve({ status: Number(first.split(' ')[1]), headers: Object.fromEntries(pairs), body: all.subarray(end + 4) });
    });
    socket.write([`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...headers, '', ''].join('\r\n'));
  });
}

stack.test('pages are found by their names, with what browsers need to know', async () => {
  const { host } = new URL(stack.edge(0).http);
  const { status, headers, body } = await get('/?from=mail');
  assert.equal(status, 200);
  assert.equal(body, PAGE);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  assert.equal(headers['content-length'], String(PAGE.length));
  assert.equal(headers['cache-control'], 'no-cache');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
  assert.equal(
    headers['content-security-policy'],
    `default-src 'self'; connect-src 'self' ws://${host} wss://${host}; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
  );
  for (const [path, text] of [['/bank', 'the bank'], ['/bank.html', 'the bank'], ['/ops', 'operations'], ['/index.html', PAGE]]) assert.equal((await get(path)).body, text, path);
  assert.equal((await get(SCRIPT)).headers['cache-control'], 'public, max-age=31536000, immutable');
});

stack.test('what the client has is not sent again, in either coding', async () => {
  const first = await get('/');
  const again = await get('/', { headers: { 'If-None-Match': `"another", W/${first.headers.etag}` } });
  assert.equal(again.status, 304);
  assert.equal(again.body, '');
  assert.equal(again.headers.etag, first.headers.etag);
  assert.equal(again.headers['content-length'], undefined);
  assert.equal((await get('/', { headers: { 'If-None-Match': '"another"' } })).status, 200);
  assert.equal((await get('/', { headers: { 'If-None-Match': first.headers.etag, 'Accept-Encoding': 'gzip' } })).status, 200);
});

stack.test('gzip is sent to those who take it, and only where it is smaller', async () => {
  const packed = await raw('/', { headers: ['Accept-Encoding: br, gzip;q=0.5'] });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.equal(packed.headers.vary, 'Accept-Encoding');
  assert.equal(packed.headers['content-length'], String(packed.body.length));
  assert.ok(packed.body.length < PAGE.length);
  assert.equal(gunzipSync(packed.body).toString(), PAGE);
  for (const refusal of ['gzip;q=0', '*;q=0', 'br, gzip; q=0.000', 'identity']) {
    const plain = await raw('/', { headers: [`Accept-Encoding: ${refusal}`] });
    assert.equal(plain.headers['content-encoding'], undefined, refusal);
    assert.equal(plain.headers.vary, 'Accept-Encoding');
    assert.equal(plain.body.toString(), PAGE);
  }
  assert.equal((await raw('/bank', { headers: ['Accept-Encoding: gzip'] })).headers['content-encoding'], undefined);
});

stack.test('HEAD says what GET would send; other methods are refused', async () => {
  const head = await raw('/large.png', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], String(LARGE.length));
  assert.equal(head.body.length, 0);
  const post = await raw('/', { method: 'POST', headers: ['Content-Length: 0'] });
  assert.equal(post.status, 405);
  assert.equal(post.headers.allow, 'GET, HEAD');
});

stack.test('nothing but the files can be reached, however it is asked for', async () => {
  const targets = ['/../secret.txt', '/assets/../../secret.txt', '/..%2fsecret.txt', '/%2e%2e/secret.txt', '/..%5csecret.txt', '/..\\secret.txt', '//etc/passwd'];
  targets.push('/.env', '/%2eenv', '/assets', '/assets/', '/assets//main-Bx3k9aZ1.js', '/assets%2fmain-Bx3k9aZ1.js', '/./bank', '/bank/', '/BANK', '/bank%00', '/nothing');
  for (const target of targets) {
    const { status, body } = await raw(target);
    assert.equal(status, 404, target);
    assert.equal(body.toString(), 'no such path\n', target);
  }
  assert.equal((await raw('secret.txt')).status, 400);
});

stack.test('a large file arrives whole, and those who do not read one keep nobody waiting', async () => {
  const { hostname, port, host } = new URL(stack.edge(0).http);
  assert.deepEqual((await raw('/large.png')).body, LARGE);
  const requests = async () => stack.metric(stack.edge(0).admin, 'ww_edge_http_requests');
  const lazy = Array.from({ length: 3 * HTTP_THREADS }, () => net.connect({ host: hostname, port: Number(port) }).pause());
  for (const socket of lazy) socket.write(`GET /large.png HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await until('all of them are being answered', async () => (await requests()) >= lazy.length);
  assert.equal((await get('/bank')).body, 'the bank');
  for (const socket of lazy) socket.destroy();
  await until('they are forgotten', async () => (await requests()) === 0);
});

stack.test('sockets are where they were, and what is asked for is counted', async () => {
  const client = await stack.connect('alice', { transports: ['polling', 'websocket'] });
  assert.ok(client.socket.connected);
  const count = (outcome) => stack.metric(stack.edge(0).admin, 'ww_edge_static_requests_total', `outcome="${outcome}"`);
  const before = await Promise.all(['sent', 'unchanged', 'not_found', 'method'].map(count));
  const { headers } = await get('/');
  await get('/', { headers: { 'If-None-Match': headers.etag } });
  await get('/nothing');
  await get('/', { method: 'DELETE' });
  assert.deepEqual(await Promise.all(['sent', 'unchanged', 'not_found', 'method'].map(count)), before.map((n) => n + 1));
});

// The last line that an edge says which may not start with this folder.
async function refusal(path) {
  const { code, stdout, stderr } = await run(join(ROOT, 'build', PRESET, 'bin', 'ww-edge'), ['--keys-dir', join(stack.dir, 'keys'), '--static-dir', path, '--listen', '127.0.0.1:0']);
  assert.equal(code, 1, stdout + stderr);
  return (stdout + stderr).trim().split('\n').at(-1);
}

stack.test('an edge does not start with a folder that it can not serve, and says why', async () => {
  const bad = join(around, 'bad');
  mkdirSync(bad);
  symlinkSync('../secret.txt', join(bad, 'link.txt'));
  assert.match(await refusal(bad), /static-dir.*bad\/link\.txt: is a link that leads out of the folder/);
  rmSync(join(bad, 'link.txt'));
  writeFileSync(join(bad, 'huge.png'), '');
  truncateSync(join(bad, 'huge.png'), (8 << 20) + 1);
  assert.match(await refusal(bad), /static-dir.*more than the 8388608 bytes.*huge\.png/);
  rmSync(join(bad, 'huge.png'));
  for (let i = 0; i <= 512; i++) writeFileSync(join(bad, `${i}.txt`), '');
  assert.match(await refusal(bad), /static-dir.*more than the 512 files/);
  assert.match(await refusal(join(around, 'nothing')), /static-dir.*nothing: No such file or directory/);
});
