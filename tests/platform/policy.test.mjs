import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RULES } from './policy.mjs';
import { OVERLAYS, overlay } from './render.mjs';

const rendered = Object.fromEntries(OVERLAYS.map((name) => [name, overlay(name)]));

for (const { name, check, break: ways, only } of RULES) {
  for (const [which, objects] of Object.entries(rendered)) {
    test(`${name}: ${which} has no finding`, () => assert.deepEqual(check(objects), []));
    if (only && only !== which) continue;
    ways.forEach((way, i) =>
      test(`${name}: broken in way ${i + 1}, ${which} has one`, () => {
        const copy = structuredClone(objects);
        way(copy);
        assert.notDeepEqual(check(copy), [], `not found: ${way}`);
      }),
    );
  }
}
