// The first example of each package's README, run as it is written against a whole system.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { useStack } from '../e2e/harness.mjs';
import { online, sdkClient, until } from './wire.mjs';

const CLIENTS = fileURLToPath(new URL('../../clients', import.meta.url));
const OUT = join(CLIENTS, 'node_modules', '.readme'); // where packages are found by their names
const require = createRequire(join(CLIENTS, 'package.json'));
const { build } = require('esbuild');

const stack = useStack({ edges: 1 });
after(() => rmSync(OUT, { recursive: true, force: true }));

// Runs the example with `names` as globals, and returns what it calls `results`, with all it logs.
async function runExample(folder, names, results) {
  const readme = readFileSync(join(CLIENTS, folder, 'README.md'), 'utf8');
  const [, example] = /```jsx?\n([\s\S]*?)```/.exec(readme);
  const contents = `${example.replace('https://wallet.example', stack.url('http'))}\nexport const results = { ${results} };\n`;
  const outfile = join(OUT, `${folder}.mjs`);
  mkdirSync(OUT, { recursive: true });
  const stdin = { contents, resolveDir: CLIENTS, loader: 'jsx' };
  await build({ stdin, outfile, bundle: true, packages: 'external', format: 'esm', jsx: 'automatic', target: 'es2022' });
  const logged = [];
  Object.assign(globalThis, names, { console: { ...console, log: (text) => logged.push(text) } });
  const { results: found } = await import(pathToFileURL(outfile));
  return { ...found, logged };
}

const balance = (user, amount) => ({ userIds: [user], balance: { walletId: 'main', available_balance: amount, currency: 'USD' } });

stack.test('@walletwire/client', async () => {
  const names = { authToken: await stack.token('amy'), transferId: 'tr-amy' };
  const { websocketClient, logged } = await runExample('web', names, 'websocketClient');
  stack.clients.push({ close: () => websocketClient.disconnect() });
  await online(websocketClient);
  await stack.publish([balance('amy', '1500.00')]);
  await until(websocketClient, 'it is logged', () => logged.length === 1);
  assert.deepEqual(logged, [1500]);
});

stack.test('@walletwire/backend', async () => {
  const client = sdkClient(stack, { url: stack.url(0) });
  client.connect(() => stack.token('user1'));
  await online(client);
  const seen = [];
  for (const name of ['balanceUpdate', 'transaction', 'securityAlert']) client.on(name, () => seen.push(name));
  const password = readFileSync(join(stack.wwEnv.WW_NATS_PASSWORDS_DIR, 'backend'), 'utf8').trim();
  await runExample('backend', { natsUrl: stack.wwEnv.WW_NATS_URL, password, userId: 'user1', walletId: 'w' }, '');
  await until(client, 'all three', () => seen.length === 3);
});

stack.test('@walletwire/react', async () => {
  const { createElement } = require('react');
  const { renderToString } = require('react-dom/server');
  const client = sdkClient(stack, { url: stack.url(0) });
  client.connect(() => stack.token('bea'));
  await online(client);
  await stack.publish([balance('bea', '2.50')]);
  await until(client, 'the balance', () => client.balances.get().has('main'));
  const { App } = await runExample('react', {}, 'App');
  const text = renderToString(createElement(App, { client })).replace(/<[^>]*>/g, '');
  assert.equal(text, 'online: 2.5 USD, 0 unread');
});
