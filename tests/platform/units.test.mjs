// `cmake --install`, and the systemd units it brings: by systemd's own judgement, by ours, and started as they say.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { answers, freePort, Programs } from './process.mjs';
import { containersOf, overlay, ROOT, workloads } from './render.mjs';
import { settingFindings } from './settings.mjs';
import { credentialsOf, environmentOf, install, serviceNames, valuesOf } from './units.mjs';

const folder = mkdtempSync(join(tmpdir(), 'ww-units-'));
const secrets = join(folder, 'etc');
const { bin, units } = install(folder);
const names = serviceNames(units);
const programs = new Programs();
// Of 100, where 100 is a service that may do anything: what is left is the network, which they are for.
const EXPOSURE_MAX = 13;
const COMMON = 'ww-.service.d/10-common.conf';
const SECONDS = { s: 1, min: 60 };

after(async () => {
  await programs.stop();
  rmSync(folder, { recursive: true });
});

const seconds = (text) => {
  const [, number, unit] = /^(\d+)(s|min)$/.exec(text);
  return number * SECONDS[unit];
};
const analyze = (path, ...args) =>
  spawnSync('systemd-analyze', args, { encoding: 'utf8', env: { ...process.env, SYSTEMD_UNIT_PATH: `${path}:`, SYSTEMD_LOG_LEVEL: 'warning' } });
/** A template is judged as one of its instances. */
const instance = (name) => name.replace('@.', '@3001.');
const programOf = (name) => basename(valuesOf(units, name, 'ExecStart')[0].split(' ')[0]);
const commandOf = (name) => [programOf(name), ...valuesOf(units, name, 'ExecStart')[0].split(' ').slice(1)];

test('systemd finds nothing to say about the units', () => {
  assert.equal(names.length, 8);
  const paths = [...names.map(instance), 'walletwire.target'].map((name) => join(units, name));
  const { status, stdout, stderr } = analyze(units, 'verify', '--man=no', ...paths);
  assert.equal(stdout + stderr, '');
  assert.equal(status, 0);
});

/** Whether systemd's review is content with a unit of that folder. */
const isTight = (path, name) =>
  analyze(path, 'security', '--offline=yes', `--threshold=${EXPOSURE_MAX}`, '--no-pager', join(path, instance(name))).status === 0;

test('no unit may do more than it needs, by systemd’s own review', () => {
  for (const name of names) assert.ok(isTight(units, name), name);
  const copy = join(folder, 'loose');
  cpSync(units, copy, { recursive: true });
  rmSync(join(copy, COMMON));
  for (const name of names) assert.ok(!isTight(copy, name), `${name} without what is common to all`);
});

/** [rule, holds(name), where it counts] */
const RULES = [
  ['is started again when it fails', () => valuesOf(units, COMMON, 'Restart').includes('on-failure')],
  ['has a bound of memory', (name) => valuesOf(units, name, 'MemoryMax').length === 1],
  ['is part of what the target starts', (name) => valuesOf(units, name, 'WantedBy').includes('walletwire.target')],
  ['is told secrets by credentials alone', (name) => !Object.keys(environmentOf(units, name)).some((key) => /(PASSWORD|KEY|DATABASE_URL)$/.test(key))],
  ['is told settings that there are', (name) => settingFindings(commandOf(name), Object.keys(environmentOf(units, name))).length === 0],
];
for (const [rule, holds] of RULES) {
  test(`each unit ${rule}`, () => assert.deepEqual(names.filter((name) => !holds(name)), []));
}

test('an edge has the time that it drains for, and 15 s', () => {
  const drain = seconds(environmentOf(units, 'ww-edge@.service').WW_DRAIN_TIME);
  assert.equal(seconds(valuesOf(units, 'ww-edge@.service', 'TimeoutStopSec')[0]), drain + 15);
});

test('bounds of memory are those of Kubernetes', () => {
  const limits = new Map(
    workloads(overlay('prod'))
      .flatMap(containersOf)
      .map(({ command, resources }) => [command?.[0], resources?.limits?.memory]),
  );
  const compared = names.filter((name) => limits.has(programOf(name)) && programOf(name) !== 'ww');
  assert.ok(compared.length >= 6);
  for (const name of compared) assert.equal(`${valuesOf(units, name, 'MemoryMax')[0]}i`, limits.get(programOf(name)), name);
});

/** What docs/operations.md has an administrator make in /etc/walletwire. */
test('each credential is a file that ./dev secrets and `ww audit key` make', () => {
  execFileSync(join(ROOT, 'dev'), ['secrets', '--dir', secrets, '--postgres', '127.0.0.1:5432'], { stdio: 'pipe' });
  const pem = join(secrets, 'secrets/audit.pem');
  if (!existsSync(pem)) execFileSync(join(bin, 'ww'), ['audit', 'key', '--make', pem], { stdio: 'pipe' });
  for (const name of names) {
    for (const { file } of credentialsOf(units, name)) {
      assert.ok(existsSync(file.replace('/etc/walletwire', secrets)), `${name}: ${file}`);
    }
  }
});

/** What systemd does for a unit, as far as one who is no system can. */
function start(name, own = {}) {
  const place = (what) => {
    const path = join(folder, what, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const credentials = place('credentials');
  for (const { id, file } of credentialsOf(units, name)) copyFileSync(file.replace('/etc/walletwire', secrets), join(credentials, id));
  const specifiers = { '%d': credentials, '%S': place('state'), '%t': place('run'), '%i': '3001', '%H': 'machine' };
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0', ...environmentOf(units, name, specifiers), ...own };
  for (const key of ['WW_NATS_CONFIG_DIR', 'WW_NATS_STORE_DIR']) if (env[key]) mkdirSync(env[key], { recursive: true });
  const [command, ...args] = valuesOf(units, name, 'ExecStart')[0].split(' ');
  return programs.start(name, command, args, env);
}

test('what is installed runs as the units say: nats, provision, an edge', async () => {
  const [nats, monitor, listen, admin] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const url = { WW_NATS_URL: `nats://127.0.0.1:${nats}` };
  start('ww-nats.service', { WW_NATS_PORT: nats, WW_NATS_MONITOR_PORT: monitor });
  await programs.until('nats', () => answers(monitor, '/healthz'));
  const provision = start('ww-provision.service', url);
  assert.equal(await provision.exit, 0, provision.text());
  const keys = join(secrets, 'keys');
  const edge = start('ww-edge@.service', { ...url, WW_LISTEN: `127.0.0.1:${listen}`, WW_ADMIN: `127.0.0.1:${admin}`, WW_KEYS_DIR: keys, WW_DRAIN_TIME: '0ms' });
  await programs.until('the edge', () => answers(admin, '/readyz'));
  edge.child.kill('SIGTERM');
  assert.equal(await edge.exit, 0, edge.text());
});

test('what an administrator of PostgreSQL runs is installed, and what nobody asked for is not', () => {
  const share = join(folder, 'usr/local/share/walletwire');
  for (const file of ['roles.sh', 'audit.sql', 'outbox.sql', 'front.cfg', 'LICENSE']) assert.ok(existsSync(join(share, file)), file);
  const installed = execFileSync('find', [bin, '-type', 'f', '-printf', '%f\n'], { encoding: 'utf8' }).trim().split('\n');
  assert.ok(installed.every((name) => name.startsWith('ww')), installed.join(' '));
});
