// Whether the packages are fit to be published: what publint and attw find, no `any` in what they export, and the size
// that the client adds to an app beyond socket.io-client.
//
//   node scripts/packages.mjs [--help]

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import ts from 'typescript';

const CLIENTS = join(dirname(fileURLToPath(import.meta.url)), '..');
const PACKAGES = ['web', 'react', 'backend'];
const ATTW = ['--profile', 'esm-only', '--format', 'ascii', '--quiet'];
// Bytes, gzipped, of the client without socket.io-client; of the hooks without React and the client.
const BUDGET = { web: 20_000, react: 3_000 };
const EXTERNAL = ['socket.io-client', 'react', '@walletwire/client'];

const tool = (name, args, folder) =>
  execFileSync(join(CLIENTS, 'node_modules', '.bin', name), args, { cwd: folder, stdio: 'inherit' });

// As npm would publish it.
function withPacked(folder, use) {
  const to = mkdtempSync(join(tmpdir(), 'ww-pack-'));
  try {
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', to], { cwd: folder });
    use(join(to, readdirSync(to)[0]));
  } finally {
    rmSync(to, { recursive: true });
  }
}

async function gzippedSize(folder) {
  const entryPoints = [join(folder, 'dist', 'index.js')];
  const { outputFiles } = await build({
    entryPoints,
    bundle: true,
    minify: true,
    format: 'esm',
    external: EXTERNAL,
    write: false,
  });
  return gzipSync(outputFiles[0].contents).length;
}

// Every type that is written in a declaration, wherever it stands.
function findAny(folder) {
  const dist = join(folder, 'dist');
  const declarations = readdirSync(dist, { recursive: true }).filter((file) => file.endsWith('.d.ts'));
  return declarations.flatMap((file) => anysOf(file, readFileSync(join(dist, file), 'utf8')));
}

function anysOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const found = [];
  const visit = (node) => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      found.push(`${file}:${line + 1}: ${text.split('\n')[line].trim()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

// A check that finds nothing would pass as well as one that looks.
function checkFindAny() {
  const anys = [
    'let a: any;',
    'type B = () => any;',
    'type C = any[];',
    'type D = Promise<any>;',
    'type E = { f?: any };',
  ];
  for (const text of anys) if (anysOf('', text).length !== 1) throw new Error(`not found: ${text}`);
  if (anysOf('', '/** any */ type F = "any";').length > 0) throw new Error('a comment and a word are no type');
}

async function check(name) {
  const folder = join(CLIENTS, name);
  tool('publint', ['--strict'], folder);
  withPacked(folder, (file) => tool('attw', [file, ...ATTW], folder));
  const found = findAny(folder);
  if (found.length > 0) throw new Error(`${name} exports any:\n${found.join('\n')}`);
  if (!(name in BUDGET)) return;
  const size = await gzippedSize(folder);
  console.log(`${name}: ${size} bytes gzipped, of ${BUDGET[name]}`);
  if (size > BUDGET[name]) throw new Error(`${name} is above its budget`);
}

if (process.argv.includes('--help')) {
  console.log('node scripts/packages.mjs: publint, attw, no any in exports, sizes; needs `npm run build` before');
} else {
  checkFindAny();
  for (const name of PACKAGES) await check(name);
}
