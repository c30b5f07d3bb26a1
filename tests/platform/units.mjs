// The units of deploy/systemd as they are installed: what a unit says, and a command that starts what it would.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './render.mjs';

const BUILD = join(ROOT, 'build', process.env.WW_DEV_PRESET ?? 'asan');

/** `cmake --install` below `folder`; returns { bin, units }. */
export function install(folder) {
  const prefix = join(folder, 'usr/local');
  execFileSync('cmake', ['--install', BUILD, '--prefix', prefix], { stdio: 'pipe' });
  return { bin: join(prefix, 'bin'), units: join(prefix, 'lib/systemd/system') };
}

export const serviceNames = (units) => readdirSync(units).filter((name) => name.endsWith('.service'));

/** [[key, value]] in the order of the file; comments and sections are left out. */
export function directives(units, name) {
  const lines = readFileSync(join(units, name), 'utf8').split('\n');
  return lines.map((line) => /^([A-Za-z]+)=(.*)$/.exec(line)).filter(Boolean).map(([, key, value]) => [key, value]);
}

export const valuesOf = (units, name, key) => directives(units, name).filter(([own]) => own === key).map(([, value]) => value);

/** { WW_...: value } with systemd's specifiers replaced by what `specifiers` says: { '%d': ... }. */
export function environmentOf(units, name, specifiers = {}) {
  const pairs = valuesOf(units, name, 'Environment').flatMap((value) => value.split(' '));
  const plain = (text) => text.replace(/%[a-zA-Z]/g, (word) => specifiers[word] ?? word);
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), plain(pair.slice(pair.indexOf('=') + 1))]));
}

/** [{ id, file }] */
export const credentialsOf = (units, name) =>
  valuesOf(units, name, 'LoadCredential').map((value) => ({ id: value.split(':')[0], file: value.split(':')[1] }));
