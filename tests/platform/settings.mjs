// Which settings there are: what each program's --help and each script's head name.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './render.mjs';

const BIN = join(ROOT, 'build', process.env.WW_DEV_PRESET ?? 'asan', 'bin');
const SCRIPTS = { 'ww-nats': 'deploy/image/nats.sh' };
// No program of ours: what the images of others take is theirs to say.
const FOREIGN = new Set(['haproxy', 'postgres']);

const words = (text) => new Set([...text.matchAll(/\bWW_[A-Z_]+\b/g)].map(([word]) => word));
const helps = new Map();

function textOf(command) {
  const [program, ...args] = command;
  if (SCRIPTS[program]) return readFileSync(join(ROOT, SCRIPTS[program]), 'utf8').split('\nset -')[0];
  if (program === 'node') return readFileSync(join(ROOT, 'clients/demo/bank/src/settings.ts'), 'utf8');
  const env = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' };
  return execFileSync(join(BIN, program), [...args.slice(0, program === 'ww' ? 1 : 0), '--help'], { encoding: 'utf8', env });
}

/** Every name there is: of settings, of what scripts are told, of streams. */
export function knownWords() {
  const programs = readdirSync(BIN).filter((name) => /^ww-[a-z]+$/.test(name));
  const verbs = ['provision', 'publish', 'dlq', 'audit', 'nats-config', 'revoke', 'drain'];
  const helps = [...programs.map((name) => [name]), ...verbs.map((verb) => ['ww', verb])].map(textOf);
  const files = ['scripts', 'deploy'].flatMap((top) => readdirSync(join(ROOT, top), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name)));
  const texts = [...files, join(ROOT, 'libs/bus/provision.h'), join(ROOT, 'compose.yaml')].map((file) => readFileSync(file, 'utf8'));
  return new Set([...helps, ...texts].flatMap((text) => [...words(text)]));
}

/** What is wrong with the settings given to a command. */
export function settingFindings(command, given) {
  const key = command.join(' ');
  if (FOREIGN.has(command[0])) return [];
  if (!helps.has(key)) helps.set(key, words(textOf(command)));
  return given.filter((name) => name.startsWith('WW_') && !helps.get(key).has(name)).map((name) => `${key}: there is no ${name}`);
}
