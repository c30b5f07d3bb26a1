// The script of the NATS image, with the configuration that the overlay prod renders; ports and names are those of this machine.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { answers, freePort, Programs } from './process.mjs';
import { overlay, ROOT } from './render.mjs';

const BIN = join(ROOT, 'build', process.env.WW_DEV_PRESET ?? 'asan', 'bin');
const USERS = ['audit', 'backend', 'chat', 'edge', 'notifications', 'ops', 'presence'];
const SERVERS = 3;
const ENV = { ...process.env, PATH: `${BIN}:${process.env.PATH}`, ASAN_OPTIONS: 'detect_leaks=0' };

const folder = mkdtempSync(join(tmpdir(), 'ww-nats-'));
const ports = {};

const programs = new Programs();
const start = (name, command, args, env) => programs.start(name, command, args, { ...ENV, ...env });
const until = (what, holds) => programs.until(what, holds);

const ww = (args, env = {}) =>
  execFileSync(join(BIN, 'ww'), args, { encoding: 'utf8', stdio: 'pipe', env: { ...ENV, WW_NATS_PASSWORDS_DIR: join(folder, 'passwords'), ...env } });

/** A file of an overlay's ConfigMap `nats`. */
function rendered(which, file) {
  const map = overlay(which).find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('nats-'));
  assert.ok(map.data[file] !== undefined, `${which} has no ${file}`);
  return map.data[file];
}

const key = (i, what) => `${i}-${what}`;

function localised(text, i) {
  let routes = -1;
  return text
    .replace(/port: 6222/, `port: ${ports[key(i, 'routes')]}\n  host: "127.0.0.1"`)
    .replace(/nats:\/\/nats-\d\.nats-cluster:6222/g, () => `nats://localhost:${ports[key(++routes, 'routes')]}`)
    .replaceAll('/etc/walletwire/tls', join(folder, 'tls'));
}

/** An authority, and what it vouches for: localhost. */
function certificates() {
  const dir = join(folder, 'tls');
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe', cwd: dir });
  mkdirSync(dir);
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.crt');
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-subj', '/CN=nats', '-keyout', 'tls.key', '-out', 'tls.csr');
  writeFileSync(join(dir, 'ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n');
  openssl('x509', '-req', '-in', 'tls.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext', '-out', 'tls.crt');
}

before(async () => {
  certificates();
  mkdirSync(join(folder, 'passwords'));
  for (const user of USERS) writeFileSync(join(folder, 'passwords', user), `password-of-${user}-that-is-long-enough`);
  for (let i = 0; i < SERVERS; i++) for (const what of ['client', 'routes', 'monitor']) ports[key(i, what)] = await freePort();
  for (const what of ['edge', 'admin']) ports[what] = await freePort();
  for (let i = 0; i < SERVERS; i++) {
    const dir = join(folder, `nats-${i}`);
    for (const sub of ['', 'config', 'extra', 'data']) mkdirSync(join(dir, sub));
    writeFileSync(join(dir, 'extra', 'cluster.conf'), localised(rendered('prod', 'cluster.conf'), i));
    start(`nats-${i}`, 'bash', [join(ROOT, 'deploy/image/nats.sh')], {
      WW_SERVER_NAME: `nats-${i}`,
      WW_NATS_HOST: '127.0.0.1',
      WW_NATS_PORT: ports[key(i, 'client')],
      WW_NATS_MONITOR_PORT: ports[key(i, 'monitor')],
      WW_NATS_STORE_DIR: join(dir, 'data'),
      WW_NATS_CONFIG_DIR: join(dir, 'config'),
      WW_NATS_EXTRA_DIR: join(dir, 'extra'),
      WW_NATS_PASSWORDS_DIR: join(folder, 'passwords'),
    });
  }
});

after(async () => {
  await programs.stop();
  rmSync(folder, { recursive: true });
});

const hub = (i) => ({ WW_NATS_URL: `nats://127.0.0.1:${ports[key(i, 'client')]}` });

test('three servers are a healthy cluster, and streams are kept on all of them', async () => {
  for (let i = 0; i < SERVERS; i++) await until(`nats-${i}`, () => answers(ports[key(i, 'monitor')], '/healthz'));
  await until('provision', () => {
    try {
      ww(['provision', '--replicas', '3', '--timeout', '10s'], hub(0));
      return true;
    } catch {
      return false;
    }
  });
  // What another server of the cluster knows of it; the second time there is nothing to do.
  assert.match(ww(['provision', '--replicas', '3'], hub(2)), /WW_EVENTS/);
});

test('a password of nobody is refused', () => {
  const wrong = join(folder, 'wrong');
  writeFileSync(wrong, 'a-password-that-nobody-has-given');
  const ask = (file) => () => ww(['provision', '--replicas', '3', '--timeout', '3s', '--nats-password-file', file], hub(0));
  assert.doesNotThrow(ask(join(folder, 'passwords/ops')));
  assert.throws(ask(wrong), ({ status, stderr }) => status === 1 && /is the password right/.test(stderr), 'refused by name');
});

test('an edge is ready by them, also when one is killed', async () => {
  const keys = join(folder, 'keys');
  mkdirSync(keys);
  writeFileSync(join(keys, 'dev.hs256'), 'a-key-of-at-least-thirty-two-bytes-for-tests');
  const victim = programs.running.find(({ name }) => name === 'nats-2');
  victim.child.kill('SIGKILL');
  await victim.exit;
  const edge = start('edge', join(BIN, 'ww-edge'), [], {
    WW_LISTEN: `127.0.0.1:${ports.edge}`,
    WW_ADMIN: `127.0.0.1:${ports.admin}`,
    ...hub(0),
    WW_NATS_PASSWORD_FILE: join(folder, 'passwords/edge'),
    WW_KEYS_DIR: keys,
    WW_DRAIN_TIME: '0ms',
  });
  // It is ready when its lease, put into a bucket, has come back by a watch.
  await until('edge', () => answers(ports.admin, '/readyz'));
  edge.child.kill('SIGTERM');
  assert.equal(await edge.exit, 0, edge.text());
});
