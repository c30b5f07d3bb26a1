import { writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { addressOf, readSettings, usage } from '../src/settings.js';

const folder = mkdtempSync(join(tmpdir(), 'ww-bank-'));
const secret = join(folder, 'secret');
writeFileSync(secret, 'word\n');
const good = { WW_NATS_PASSWORD_FILE: secret, WW_DATABASE_URL_FILE: secret, WW_KEYS_DIR: folder };

test('flags go before the environment, and that before what is usual', () => {
  const { settings, wants } = readSettings(['--listen', '[::1]:99'], {
    ...good,
    WW_BANK_LISTEN: 'x:1',
    WW_NATS_USER: 'me',
  });
  expect(settings).toMatchObject({ listen: '[::1]:99', 'nats-user': 'me', day: 'running' });
  expect(wants).toBe('run');
  expect(addressOf('[::1]:99')).toEqual({ host: '::1', port: 99 });
  expect(readSettings(['--check-config'], good).wants).toBe('check');
});

test('everything that is wrong is told at once, by its name', () => {
  const wrong = { WW_BANK_LISTEN: '8090', WW_BANK_DAY: 'long', WW_DATABASE_URL_FILE: join(folder, 'none') };
  expect(() => readSettings([], wrong)).toThrowError(
    [
      '--listen (WW_BANK_LISTEN) must be ADDRESS:PORT',
      '--nats-password-file (WW_NATS_PASSWORD_FILE) is missing',
      '--database-url-file (WW_DATABASE_URL_FILE) can not be read',
      '--keys-dir (WW_KEYS_DIR) is missing',
      '--day (WW_BANK_DAY) must be running or paused',
    ].join('\n'),
  );
  expect(() => readSettings(['--colour', 'red'], good)).toThrowError(/--colour/);
});

test('help names every setting, also where nothing is set', () => {
  expect(readSettings(['--help'], {}).wants).toBe('help');
  expect(usage()).toContain('$WW_KEYS_DIR');
});
