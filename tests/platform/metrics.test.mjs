// Prometheus itself, with our configuration, asks a whole system: what rules and the dashboard name is there, each
// expression is one, and where all is well nothing alerts.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { ROOT } from './render.mjs';

const DEADLINE_MS = 60_000;
const PRESET = process.env.WW_DEV_PRESET ?? 'asan';
const folder = mkdtempSync(join(tmpdir(), 'ww-metrics-'));
const stack = join(folder, 'stack');
const read = (path) => readFileSync(join(ROOT, path), 'utf8');
const rules = parse(read('deploy/prometheus/alerts.yml')).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('deploy/grafana/walletwire.json'));
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr]),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*')])),
];

let prometheus, url;

const dev = (...args) => execFileSync('./dev', args, { cwd: ROOT, env: { ...process.env, WW_DEV_PRESET: PRESET }, encoding: 'utf8', stdio: 'pipe' });

async function until(what, holds) {
  for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await delay(100)) {
    const value = await holds();
    if (value) return value;
  }
  assert.fail(`not within ${DEADLINE_MS} ms: ${what}`);
}

async function ask(path, params = {}) {
  const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(params)}`).catch(() => null);
  return response && response.status !== 503 ? response.json() : null; // it says so in words while it starts
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Ours but for the pace, which is the test's, and for the targets. */
async function startPrometheus() {
  const { edges, services } = JSON.parse(readFileSync(join(stack, 'status.json'), 'utf8'));
  const hosts = [...edges, ...services].map(({ admin }) => new URL(admin).host);
  const home = join(folder, 'prometheus');
  mkdirSync(home);
  writeFileSync(join(home, 'prometheus.yml'), read('deploy/prometheus/prometheus.yml').replaceAll(/: (15|5)s$/gm, ': 1s'));
  writeFileSync(join(home, 'alerts.yml'), read('deploy/prometheus/alerts.yml'));
  writeFileSync(join(home, 'targets.yml'), stringify([{ targets: hosts }]));
  url = `http://127.0.0.1:${await freePort()}`;
  const args = [`--config.file=${home}/prometheus.yml`, `--storage.tsdb.path=${home}/data`, `--web.listen-address=${new URL(url).host}`];
  const child = spawn('prometheus', args, { stdio: 'ignore' });
  prometheus = { child, exit: new Promise((resolve) => child.once('exit', resolve)) };
  await until('all targets are up', async () => (await ask('query', { query: 'count(up == 1)' }))?.data.result[0]?.value[1] === String(hosts.length));
}

before(async () => {
  chmodSync(folder, 0o755); // the user of PostgreSQL has to reach it
  dev('up', '--detach', '--no-build', '--no-bank', '--free-ports', '--run-dir', stack, '--audit', '1', '--outbox');
  await startPrometheus();
}, { timeout: 180_000 });

after(async () => {
  prometheus?.child.kill('SIGTERM');
  await prometheus?.exit;
  dev('down', '--wipe', '--run-dir', stack);
  rmSync(folder, { recursive: true });
});

const WORDS = new Set('by and or unless on ignoring group_left group_right bool le offset'.split(' '));

/** The metrics that an expression names: words that are no function, no label and no keyword. */
function metricsOf(expr) {
  const bare = expr.replaceAll(/\{[^}]*\}|"[^"]*"|\[[^\]]*\]|\b(by|on|ignoring)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/\b[a-z_][a-z0-9_]*\b(?!\s*\()/g)].map(([word]) => word).filter((word) => !WORDS.has(word));
}

test('metrics are found in expressions', () => {
  assert.deepEqual(metricsOf('sum by (le) (rate(a_bucket{x="b"}[5m])) > 2 * 1e3 and on (job) c_total == 1'), ['a_bucket', 'c_total']);
});

test('each metric that rules and the dashboard name is one that a program exports', async () => {
  const { data } = await ask('label/__name__/values');
  const known = new Set(data);
  assert.ok(known.size > 200, `${known.size} names`);
  const missing = expressions.flatMap(([where, expr]) => metricsOf(expr).filter((name) => !known.has(name)).map((name) => `${where}: ${name}`));
  assert.deepEqual(missing, []);
});

test('each value of a label that they compare with is one that a program knows', async () => {
  const missing = [];
  for (const [where, expr] of expressions) {
    for (const [, name, matchers] of expr.matchAll(/([a-z_]+)\{([^}]*)\}/g)) {
      for (const [, label, operator, value] of matchers.matchAll(/([a-z_]+)(=~|!=|=)"([^"]*)"/g)) {
        if (['job', 'instance'].includes(label)) continue;
        for (const one of operator === '=~' ? value.split('|') : [value]) {
          const query = `count(${name}{${label}${operator === '=~' ? '=~' : '='}"${one}"})`;
          if ((await ask('query', { query })).data.result.length === 0) missing.push(`${where}: ${query}`);
        }
      }
    }
  }
  assert.deepEqual(missing, []);
});

test('each expression is one', async () => {
  const wrong = [];
  for (const [where, query] of expressions) {
    const { status, error } = await ask('query', { query });
    if (status !== 'success') wrong.push(`${where}: ${error}`);
  }
  assert.deepEqual(wrong, []);
});

test('rules are evaluated, and nothing fires while all is well', async () => {
  const evaluated = await until('each rule is evaluated', async () => {
    const { data } = await ask('rules');
    const all = data.groups.flatMap((group) => group.rules);
    return all.every(({ health }) => health !== 'unknown') && all;
  });
  assert.equal(evaluated.length, rules.length);
  assert.deepEqual(evaluated.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => [name, lastError]), []);
  assert.deepEqual(evaluated.filter(({ state }) => state === 'firing').map(({ name }) => name), []);
});

test('the dashboard asks the data source that is chosen, and its panels have their places', () => {
  assert.ok(dashboard.templating.list.some(({ name, type }) => name === 'datasource' && type === 'datasource'));
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const taken = new Map();
  for (const { title, type, gridPos, datasource, targets, description } of dashboard.panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        assert.equal(taken.get(`${x},${y}`), undefined, `${title} lies over another`);
        taken.set(`${x},${y}`, title);
      }
    }
    if (type === 'row') continue;
    assert.ok(title && description, title);
    for (const asked of [{ datasource }, ...targets]) assert.equal(asked.datasource.uid, '${datasource}', title);
  }
  const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
  assert.deepEqual(rows, ['Edges', 'Delivery', 'Chat', 'Presence', 'Audit', 'PostgreSQL and NATS']);
});
