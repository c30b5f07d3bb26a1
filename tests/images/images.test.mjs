// Every target of the Dockerfile is built, and the services of compose.yaml run from what was built.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client, request, until } from '../e2e/harness.mjs';
import { freePort } from '../platform/process.mjs';
import { ROOT } from '../platform/render.mjs';
import { Containers } from './containers.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const DIR = join(ROOT, 'build/images');
const FOLDER = join(DIR, 'secrets');
// A build from nothing installs compilers and Node.js twice and compiles everything, on a machine that does other work too.
const BUILD_MS = 40 * 60_000;
const START_MS = 120_000;
const TARGETS = ['walletwire', 'nats', 'bank'];
const PROGRAM = /^ww(-(audit|chat|edge|notifications|outbox|presence))?$/;
const ONCE = 'provision'; // what single commands are run as

// Folders that can be written to, then who one is.
const PROBE = `find / -xdev -type d -writable 2>/dev/null | while read -r d; do ! (: >"$d/.probe") 2>/dev/null || echo "$d"; done
echo uid $(id -u); grep -e ^CapEff -e ^NoNewPrivs /proc/self/status; echo end`;

const script = (name, ...args) => execFileSync('bash', [join(HERE, name), ...args.map(String)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const images = {};
const port = {};
let containers;
let lasting;
let alice;

before(
  async () => {
    if (existsSync(FOLDER)) script('servers.sh', 'stop', FOLDER); // of a run that was cut off
    for (const line of script('build.sh', DIR).trim().split('\n')) {
      const [target, root, size] = line.split(' ');
      images[target] = { root, size: Number(size) };
    }
    for (const what of ['http', 'https', 'postgres']) port[what] = await freePort();
    script('servers.sh', 'secrets', FOLDER, port.postgres);
    containers = new Containers(Object.fromEntries(TARGETS.map((target) => [target, images[target].root])), FOLDER);
    await containers.plan();
    lasting = containers.services.filter((name) => containers.config.services[name].restart !== 'on-failure');
  },
  { timeout: BUILD_MS },
);

after(async () => {
  alice?.close();
  await containers?.stop('SIGKILL');
  script('servers.sh', 'stop', FOLDER);
  script('build.sh', '--remove', DIR);
});

/** What a command says that is run once as the service `name` would be; it has to succeed. */
async function asked(name, ...command) {
  const run = containers.once(name, command);
  assert.equal(await run.exit, 0, run.text());
  return run.text().trim();
}

for (const target of TARGETS) {
  test(`the image ${target}`, (t) => {
    const { root, size } = images[target];
    const { OCIv1: { config } } = JSON.parse(readFileSync(join(DIR, `${target}.json`), 'utf8'));
    assert.equal(config.User, '10001:10001');
    const label = (name) => config.Labels[`org.opencontainers.image.${name}`];
    assert.equal(label('title'), target === 'walletwire' ? target : `walletwire-${target}`);
    for (const name of ['description', 'vendor', 'licenses', 'version', 'revision', 'base.name']) assert.ok(label(name), name);
    const listed = readFileSync(join(root, 'usr/share/walletwire/packages.txt'), 'utf8').trim().split('\n');
    const installed = execFileSync('dpkg-query', ['--admindir', join(root, 'var/lib/dpkg'), '-W', '-f', '${Package} ${Version} ${Architecture}\n'], { encoding: 'utf8' });
    assert.deepEqual(listed, installed.trim().split('\n'));
    // Who builds brings compilers; who runs has none.
    assert.ok(!listed.some((line) => /^(gcc|cmake|npm|lib\S+-dev) /.test(line)));
    t.diagnostic(`${size} MB, ${size - images.BASE.size} of them over its base; ${listed.length} packages`);
  });
}

test('each program starts from its image, and its user can write nowhere in there', async () => {
  const { root } = images.walletwire;
  const programs = readdirSync(join(root, 'usr/local/bin')).filter((name) => PROGRAM.test(name));
  assert.equal(programs.length, 7);
  for (const program of programs) assert.match(await asked(ONCE, program, '--version'), /\d+\.\d+\.\d+/);
  const said = await asked(ONCE, 'bash', '-c', PROBE);
  assert.deepEqual(said.split('\n'), ['uid 10001', 'CapEff:\t0000000000000000', 'NoNewPrivs:\t1', 'end']);
});

const started = new Map();
const start = (name) => started.set(name, containers.run(name));
const ended = (name) => started.get(name).child.exitCode !== null;

// As compose does with those that it says so of: until they have succeeded.
async function done(name) {
  let said;
  for (const end = Date.now() + START_MS; Date.now() < end; ) {
    const run = containers.once(name);
    if ((await run.exit) === 0) return;
    said = run.text();
  }
  assert.fail(`${name}: ${said}`);
}

// Who ends because somebody else has not done his part yet is started again, as compose does.
async function healthy(name) {
  await containers.until(name, async () => {
    if (await containers.healthy(name)) return true;
    if (ended(name)) {
      containers.forget(started.get(name));
      start(name);
    }
    return false;
  }, START_MS);
}

test('services start in any order, what they need last, and become healthy', async () => {
  for (const name of lasting.filter((name) => name !== 'nats')) start(name);
  const once = containers.services.filter((name) => !lasting.includes(name)).map(done);
  start('nats');
  script('servers.sh', 'postgres', FOLDER, port.postgres);
  await Promise.all(once);
  await Promise.all(lasting.map(healthy));
  const edges = lasting.filter((name) => name.startsWith('edge-')).map((name) => `${containers.ports[name][3000]}:${containers.ports[name][9090]}`);
  script('servers.sh', 'haproxy', FOLDER, port.http, port.https, containers.ports.bank[8090], ...edges);
});

const here = () => `http://127.0.0.1:${port.http}`;

/** Published from an image, shown to a stock client by HAProxy and another. */
async function shown(message) {
  await asked('nats', 'ww', 'publish', 'security', '--user', 'alice', '--set', 'severity=high', '--set', `message=${message}`,
    '--passwords-dir', '/run/secrets', '--nats-url', `nats://127.0.0.1:${containers.ports.nats[4222]}`, '--timeout', '60s');
  await alice.waitFor('security:alert', (data) => data.message === message, START_MS);
}

test('what is published is shown to a stock client', async () => {
  const token = await asked('edge-1', 'ww', 'token', '--user', 'alice');
  alice = await new Client(here(), { auth: { token }, reconnection: true }).connected();
  await shown('the first');
});

test('edges serve the pages of the image, and HAProxy hands the bank what is its', async () => {
  const page = await request(`${here()}/`);
  assert.equal(page.status, 200);
  assert.match(page.body, /<script type="module"/);
  assert.equal((await request(`${here()}/bank`)).status, 200);
  await until('the bank', async () => (await request(`${here()}/bank/api/readyz`)).status === 200, START_MS);
});

test('each is stopped by SIGTERM and started again, and goes on where it was', async () => {
  for (const name of lasting) {
    const { child, exit, text } = started.get(name);
    child.kill('SIGTERM');
    // nats-server 2.9.10 ends with 1 whenever it is told to.
    assert.equal(await exit, name === 'nats' ? 1 : 0, `${name}: ${text()}`);
    containers.forget(started.get(name));
    start(name);
    await healthy(name);
  }
  await shown('the second');
  assert.deepEqual(alice.payloads('security:alert').map(({ message }) => message), ['the first', 'the second']);
});
