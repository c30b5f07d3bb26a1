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

function findAny(folder) {
  const dist = join(folder, 'dist');
  const declarations = readdirSync(dist).filter((file) => file.endsWith('.d.ts'));
  return declarations.flatMap((file) => {
    const lines = readFileSync(join(dist, file), 'utf8').split('\n');
    return lines.flatMap((line, i) =>
      /[:<|,]\s*any\b/.test(line.replace(/\/?\*.*/, '')) ? [`${file}:${i + 1}: ${line.trim()}`] : [],
    );
  });
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
  for (const name of PACKAGES) await check(name);
}
