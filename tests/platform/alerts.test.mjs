// Alert rules as Prometheus reads them: each fires, and does not fire where it nearly would.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { CASES } from './alerts.mjs';
import { find, overlay, ROOT } from './render.mjs';

const FOLDER = join(ROOT, 'deploy/prometheus');
const FILE = join(FOLDER, 'alerts.yml');
const rules = parse(readFileSync(FILE, 'utf8')).groups.flatMap((group) => group.rules);
const names = rules.map(({ alert }) => alert);
const operations = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');

const scratch = mkdtempSync(join(tmpdir(), 'ww-alerts-'));
after(() => rmSync(scratch, { recursive: true }));

const promtool = (...args) => execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' });
const firing = (name) => `count(ALERTS{alertname="${name}",alertstate="firing"}) or vector(0)`;

/** What promtool says of a rule alone: '' if it fires half an hour after `fires` began, and not with `quiet`. */
function findings(rule, { fires, quiet }) {
  const rulesFile = join(scratch, 'rule.yml');
  const file = join(scratch, 'case.yml');
  const group = (series, value) => ({
    interval: '30s',
    input_series: Object.entries(series).map(([metric, values]) => ({ series: metric, values })),
    promql_expr_test: [{ expr: `${firing(rule.alert)} > bool 0`, eval_time: '30m', exp_samples: [{ value }] }],
  });
  writeFileSync(rulesFile, stringify({ groups: [{ name: 'one', rules: [rule] }] }));
  writeFileSync(file, stringify({ rule_files: [rulesFile], evaluation_interval: '30s', tests: [group(fires, 1), group(quiet, 0)] }));
  try {
    promtool('test', 'rules', file);
    return '';
  } catch ({ stdout, stderr }) {
    return `${stdout}${stderr}`;
  }
}

test('promtool takes the rules and the configuration', () => {
  promtool('check', 'rules', FILE);
  promtool('check', 'config', join(FOLDER, 'prometheus.yml'));
});

test('a broken rule is found', () => {
  const file = join(scratch, 'broken.yml');
  writeFileSync(file, readFileSync(FILE, 'utf8').replace('ww_ready == 0', 'ww_ready = 0'));
  assert.throws(() => promtool('check', 'rules', file));
});

test('each alert has cases, a severity, its words and a section of docs/operations.md', () => {
  assert.deepEqual(Object.keys(CASES).sort(), [...names].sort());
  for (const { alert, labels, annotations } of rules) {
    assert.match(labels.severity, /^(warning|critical)$/, alert);
    assert.ok(annotations.summary && annotations.description.endsWith('.'), alert);
    assert.equal(annotations.runbook_url, `docs/operations.md#${alert.toLowerCase()}`);
    const section = operations.split(`\n### ${alert}\n`)[1]?.split('\n##')[0] ?? '';
    assert.ok(section.trim().split(/\s+/).length >= 12, `${alert} has no section that tells what it means and what to do`);
  }
});

test('docs/operations.md has no section of an alert that is not there', () => {
  const told = [...operations.matchAll(/^### (Walletwire\w+)$/gm)].map(([, name]) => name);
  assert.deepEqual([...told].sort(), [...names].sort());
});

for (const rule of rules) {
  test(`${rule.alert} fires, and does not where it nearly would`, () => {
    const { quiet } = CASES[rule.alert];
    for (const fires of [CASES[rule.alert].fires].flat()) {
      assert.equal(findings(rule, { fires, quiet }), '');
      // Both are looked at: each of them in the other's place is found.
      assert.match(findings(rule, { fires, quiet: fires }), /got:/);
      assert.match(findings(rule, { fires: quiet, quiet }), /got:/);
    }
  });
}

test('the rules of Kubernetes are these', () => {
  const made = execFileSync(join(ROOT, 'scripts/alerts.sh'), { encoding: 'utf8' });
  assert.equal(readFileSync(join(ROOT, 'k8s/components/monitoring/alerts.yaml'), 'utf8'), made, 'scripts/alerts.sh makes them anew');
  assert.deepEqual(find(overlay('prod'), 'PrometheusRule', 'walletwire').spec.groups, parse(readFileSync(FILE, 'utf8')).groups);
});
