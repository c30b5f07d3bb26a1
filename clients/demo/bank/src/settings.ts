// Settings: one table, from the environment, then from flags. Secrets come from files.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

interface Row {
  env: string;
  default?: string;
  help: string;
  /** What is wrong with a value. */
  check?: (value: string) => string | undefined;
}

const ADDRESS = /^(\[[0-9a-f:]+\]|[^:]+):(\d{1,5})$/i;

const readable = (value: string): string | undefined => {
  try {
    return readFileSync(value, 'utf8').trim() === '' ? 'is empty' : undefined;
  } catch {
    return 'can not be read';
  }
};

const TABLE = {
  listen: {
    env: 'WW_BANK_LISTEN',
    default: '127.0.0.1:8090',
    help: 'address and port of /bank/api, health and metrics',
    check: (value) => (ADDRESS.test(value) ? undefined : 'must be ADDRESS:PORT'),
  },
  'nats-url': { env: 'WW_NATS_URL', default: 'nats://127.0.0.1:4222', help: 'where NATS is' },
  'nats-user': { env: 'WW_NATS_USER', default: 'backend', help: 'who signs in to it' },
  'nats-password-file': { env: 'WW_NATS_PASSWORD_FILE', help: 'file with its password', check: readable },
  'database-url-file': { env: 'WW_DATABASE_URL_FILE', help: 'file with postgresql://...', check: readable },
  'keys-dir': { env: 'WW_KEYS_DIR', help: 'folder with dev.hs256, which signs tokens' },
  day: {
    env: 'WW_BANK_DAY',
    default: 'running',
    help: 'running or paused: the simulated day at the very first start',
    check: (value) => (value === 'running' || value === 'paused' ? undefined : 'must be running or paused'),
  },
} as const satisfies Record<string, Row>;

type Name = keyof typeof TABLE;
export type Settings = Readonly<Record<Name, string>>;

const NAMES = Object.keys(TABLE) as Name[];
const USAGE_WIDTH = 28;

export function usage(): string {
  const lines = NAMES.map((name) => {
    const { env, help, ...row }: Row = TABLE[name];
    const otherwise = row.default === undefined ? '' : ` (${row.default})`;
    return `  ${`--${name}`.padEnd(USAGE_WIDTH)}${help}${otherwise}\n  ${''.padEnd(USAGE_WIDTH)}$${env}\n`;
  });
  return `usage: bank [settings]\n\nAn example: plays the back end of a wallet for the demo.\n\n${lines.join('')}
  ${'--check-config'.padEnd(USAGE_WIDTH)}looks at the settings and ends\n  ${'--help'.padEnd(USAGE_WIDTH)}this text\n`;
}

export interface Read {
  settings: Settings;
  wants: 'run' | 'check' | 'help';
}

/** All that is wrong is told at once. */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Read {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean' },
      'check-config': { type: 'boolean' },
      ...Object.fromEntries(NAMES.map((name) => [name, text])),
    },
  });
  const given = values as Readonly<Record<string, string | undefined>>;
  const settings = Object.fromEntries(
    NAMES.map((name) => [name, given[name] ?? env[TABLE[name].env] ?? (TABLE[name] as Row).default ?? '']),
  ) as Settings;
  const wants = values.help ? 'help' : values['check-config'] ? 'check' : 'run';
  if (wants !== 'help') check(settings);
  return { settings, wants };
}

function check(settings: Settings): void {
  const wrong = NAMES.flatMap((name) => {
    const row: Row = TABLE[name];
    const problem = settings[name] === '' ? 'is missing' : row.check?.(settings[name]);
    return problem === undefined ? [] : [`--${name} (${row.env}) ${problem}`];
  });
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

export function addressOf(listen: string): { host: string; port: number } {
  const [, host = '', port = ''] = ADDRESS.exec(listen) ?? [];
  return { host: host.replace(/[[\]]/g, ''), port: Number(port) };
}

export const secretOf = (file: string): string => readFileSync(file, 'utf8').trim();
