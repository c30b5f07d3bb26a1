// The systemd units as they are installed, run by a systemd: what it makes of them no reading tells.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../platform/render.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const MACHINE = join(ROOT, 'build/machine');
const UPPER = join(MACHINE, 'upper'); // what this machine has not, as that one sees it

before(() => {
  rmSync(MACHINE, { recursive: true, force: true });
  mkdirSync(UPPER, { recursive: true });
  const env = { ...process.env, DESTDIR: UPPER };
  execFileSync('cmake', ['--install', join(ROOT, 'build/release'), '--prefix', '/usr/local'], { env, stdio: 'pipe' });
});

after(() => rmSync(MACHINE, { recursive: true, force: true }));

test('units under systemd', async (t) => {
  assert.ok(existsSync(join(UPPER, 'usr/local/bin/ww-edge')));
  const command = [join(HERE, 'machine.sh'), MACHINE, 'bash', join(HERE, 'units.sh'), join(HERE, 'client.mjs')];
  const { status, stdout } = spawnSync('bash', command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  for (const [, word, fact] of stdout.matchAll(/^(fine|FAILED): (.*)$/gm)) await t.test(fact, () => assert.equal(word, 'fine'));
  assert.equal(status, 0, stdout);
});
