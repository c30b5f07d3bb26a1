import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compose, ROOT } from './render.mjs';

const config = compose();
const ONCE = new Set(['provision', 'audit-key']);

/** What each service must be: [rule, holds(service, name), how to break it]. */
const RULES = [
  ['is not root', ({ user }) => /^[1-9]\d*:[1-9]\d*$/.test(user ?? ''), (s) => (s.user = '0:0')],
  ['can not write to its root', (s) => s.read_only === true, (s) => delete s.read_only],
  ['has no capabilities', (s) => s.cap_drop?.includes('ALL') && !s.cap_add, (s) => (s.cap_add = ['SYS_ADMIN'])],
  ['gains no privileges', (s) => s.security_opt?.includes('no-new-privileges:true'), (s) => (s.security_opt = [])],
  ['has limits', (s) => s.mem_limit && s.cpus && s.pids_limit, (s) => delete s.mem_limit],
  ['has an image of a version', (s) => /:(?!latest$)[^:/]+$/.test(s.image), (s) => (s.image = 'walletwire:latest')],
  ['is started again', (s) => ['unless-stopped', 'on-failure'].includes(s.restart), (s) => delete s.restart],
  ['says how it is', (s, name) => ONCE.has(name) || s.healthcheck?.test, (s) => delete s.healthcheck],
  ['waits for nobody to be started', (s) => !s.depends_on, (s) => (s.depends_on = ['nats'])],
  [
    'is told secrets by files',
    (s) => !Object.entries(s.environment ?? {}).some(([key, value]) => /(PASSWORD|KEY|DATABASE_URL)$/.test(key) && value),
    (s) => (s.environment = { WW_NATS_PASSWORD: 'x' }),
  ],
];

for (const [rule, holds, wrong] of RULES) {
  test(`each service ${rule}`, () => {
    const breaches = Object.entries(config.services).filter(([name, service]) => !holds(service, name));
    assert.deepEqual(breaches.map(([name]) => name), []);
    const copy = structuredClone(config.services.chat);
    wrong(copy);
    assert.ok(!holds(copy, 'chat'), 'a broken copy is not found');
  });
}

test('each port and network that is reached from outside is of HAProxy or an edge', () => {
  const open = Object.entries(config.services).filter(([, { ports }]) => ports);
  assert.deepEqual(open.map(([name]) => name), ['haproxy']);
  assert.equal(config.networks.back.internal, true);
});

test('each file that is mounted is in the repository, or made by ./dev secrets', () => {
  const sources = Object.values(config.services).flatMap(({ volumes = [] }) =>
    volumes.map((volume) => String(volume).split(':')[0]).filter((source) => source.startsWith('/')),
  );
  assert.ok(sources.length > 0);
  assert.deepEqual(sources.filter((source) => !source.includes('/.run/compose/') && !existsSync(source)), []);
  assert.ok(existsSync(join(ROOT, 'scripts/secrets.sh')));
});
