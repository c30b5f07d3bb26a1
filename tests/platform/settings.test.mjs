import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compose, containersOf, OVERLAYS, overlay, ROOT, workloads } from './render.mjs';
import { knownWords, settingFindings } from './settings.mjs';

const inOverlay = (name) =>
  workloads(overlay(name)).flatMap((workload) =>
    containersOf(workload).flatMap(({ command, env = [] }) => settingFindings(command, env.map((entry) => entry.name))),
  );

for (const name of OVERLAYS) {
  test(`${name}: each setting is one that its program has`, () => assert.deepEqual(inOverlay(name), []));
}

test('compose: each setting is one that its program has', () => {
  const services = Object.values(compose().services);
  assert.deepEqual(
    services.flatMap(({ command, environment = {} }) => settingFindings(command, Object.keys(environment))),
    [],
  );
});

test('a misspelt setting is found, for a service, a command, a script and the bank', () => {
  for (const command of [['ww-edge'], ['ww', 'provision'], ['ww-nats'], ['node', 'main.js']]) {
    assert.deepEqual(settingFindings(command, ['WW_NATS_ULR']), [`${command.join(' ')}: there is no WW_NATS_ULR`]);
  }
});

test('each setting and stream that docs/operations.md names is there', () => {
  const known = knownWords();
  const told = [...readFileSync(join(ROOT, 'docs/operations.md'), 'utf8').matchAll(/\bWW_[A-Z_]+[A-Z]\b/g)].map(([word]) => word);
  assert.ok(told.length > 20);
  assert.deepEqual([...new Set(told)].filter((word) => !known.has(word)), []);
});
