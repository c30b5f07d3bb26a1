// Rendered objects against the schemas of Kubernetes: values by kubernetes-models, names of fields by its types, since the
// former lets unknown fields pass.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeFileSync } from 'node:fs';
import ts from 'typescript';
import { find, OVERLAYS, overlay, podOf } from './render.mjs';

const PACKAGES = {
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api/',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator/',
  'cert-manager.io': '@kubernetes-models/cert-manager/',
};
const moduleOf = ({ apiVersion, kind }) => `${PACKAGES[apiVersion.split('/')[0]] ?? 'kubernetes-models/'}${apiVersion}/${kind}`;

// Within this folder, so that packages are found.
const folder = mkdtempSync(join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, 'node_modules/.types-'));
after(() => rmSync(folder, { recursive: true }));

/** What the compiler says of objects, written as literals of their interfaces. */
function typeFindings(name, objects) {
  const file = join(folder, `${name}.ts`);
  const lines = objects.map(
    (object, i) =>
      `import type { I${object.kind} as T${i} } from '${moduleOf(object)}';\nexport const o${i}: T${i} = ${JSON.stringify(object)};\n`,
  );
  writeFileSync(file, lines.join(''));
  const program = ts.createProgram([file], {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
  });
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

async function valueFinding(object) {
  const models = await import(moduleOf(object));
  try {
    new models[object.kind](object).validate();
    return '';
  } catch (error) {
    return `${object.kind} ${object.metadata.name}: ${error.message}`;
  }
}

for (const name of OVERLAYS) {
  const objects = overlay(name);

  test(`${name}: names of fields are those of Kubernetes`, () => assert.deepEqual(typeFindings(name, objects), []));
  test(`${name}: values are those of Kubernetes`, async () => {
    const said = await Promise.all(objects.map(valueFinding));
    assert.deepEqual(said.filter(Boolean), []);
  });
  test(`${name}: a misspelt field and a value of another type are found`, async () => {
    const copy = structuredClone(objects);
    const edge = find(copy, 'Deployment', 'edge');
    podOf(edge).containers[0].livenesProbe = {};
    assert.match(typeFindings(`${name}-broken`, copy).join('\n'), /livenesProbe/);
    podOf(edge).terminationGracePeriodSeconds = 'long';
    assert.match(await valueFinding(edge), /terminationGracePeriodSeconds/);
  });
}
