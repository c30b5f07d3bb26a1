import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './render.mjs';

const BIN = join(ROOT, 'build', process.env.WW_DEV_PRESET ?? 'asan', 'bin');
const OURS = /^ww(-(audit|chat|edge|notifications|outbox|presence))?$/;
// In every Debian, or of the sanitizers alone.
const APART = /^(libc|libasan|libubsan|libtsan|libm|libgcc_s|ld-linux)\b/;

const lines = (file) =>
  readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean);
const run = (command, args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

function neededBy(program) {
  return [...run('readelf', ['-d', join(BIN, program)]).matchAll(/NEEDED.*\[(.*)\]/g)].map(([, library]) => library);
}

/** The package a library comes from; /lib is /usr/lib, of which dpkg knows either name. */
function packageOf(library, table) {
  const path = table.get(library);
  assert.ok(path, `${library} is not installed`);
  const real = realpathSync(path);
  const name = [real, real.replace(/^\/usr/, ''), path].map((file) => {
    try {
      return run('dpkg-query', ['-S', file]).split(':')[0];
    } catch {
      return '';
    }
  });
  const found = name.find(Boolean);
  assert.ok(found, `${library} is of no package`);
  return found;
}

test('the image has the libraries that programs are linked to, and none beside', () => {
  const table = new Map(
    [...run('/sbin/ldconfig', ['-p']).matchAll(/^\s+(\S+) \(.*x86-64\) => (\S+)$/gm)].map(([, name, path]) => [name, path]),
  );
  const needed = [...new Set(readdirSync(BIN).filter((name) => OURS.test(name)).flatMap(neededBy))];
  const packages = new Set(needed.filter((library) => !APART.test(library)).map((library) => packageOf(library, table)));
  assert.deepEqual([...packages].sort(), lines('scripts/packages-image.txt').filter((name) => name.startsWith('lib') || name === 'zlib1g').sort());
});

test('what the Dockerfile copies is there, and let through by .dockerignore', () => {
  const let_ = new Set(lines('.dockerignore').filter((line) => line.startsWith('!')).map((line) => line.slice(1)));
  const copied = lines('Dockerfile')
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(/\s+/).slice(1, -1));
  assert.ok(copied.length > 5);
  for (const path of copied) {
    assert.ok(existsSync(join(ROOT, path)), `${path} is not there`);
    const top = path.startsWith('scripts/') ? 'scripts/packages-*.txt' : path.split('/')[0];
    assert.ok(let_.has(top), `${path} is ignored`);
  }
});

test('each image ends as another user than root, in its last word', () => {
  const stages = readFileSync(join(ROOT, 'Dockerfile'), 'utf8').split(/^FROM /m).slice(1);
  const final = stages.filter((stage) => /^\S+ AS (walletwire|nats|bank)\n/.test(stage));
  assert.equal(final.length, 3);
  for (const stage of final) assert.match(stage, /\nUSER 10001:10001\nCMD /, basename(stage.split('\n')[0]));
});
