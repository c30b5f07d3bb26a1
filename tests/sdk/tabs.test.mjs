// @walletwire/client in five tabs of a real Chromium: one socket, which moves when its tab goes.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import net from 'node:net';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { kyc, useStack } from '../e2e/harness.mjs';

const TABS = 5;
const require = createRequire(new URL('../../clients/package.json', import.meta.url));
const { build } = require('esbuild');
const { chromium } = require('playwright-core');

const stack = useStack({ edges: 2 }, openBrowser);
let app;
let browser;
let script;

async function openBrowser() {
  const entry = fileURLToPath(new URL('../../clients/web/dist/index.js', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: 'iife', globalName: 'walletwire', write: false });
  script = outputFiles[0].text;
  app = await openApp();
  // As root there is no sandbox to be had.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
}
after(async () => {
  await browser?.close();
  app?.close();
});

// A page of the edge's own origin, as an app behind the same load balancer is.
// It is served by an own server, since Chromium takes a page that Playwright made up for one from the internet, and keeps
// those from opening WebSockets to this machine.
async function openApp() {
  const html = `<!doctype html><script>${script}</script>`;
  const answer = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${Buffer.byteLength(html)}\r\nConnection: close\r\n\r\n${html}`;
  const server = net.createServer({ noDelay: true }, (client) => {
    client.on('error', () => client.destroy());
    client.once('data', (head) => {
      if (head.toString('latin1').startsWith('GET /socket.io/')) join(client, head);
      else client.end(answer);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function join(client, head) {
  const { hostname, port } = new URL(stack.url('http'));
  const edge = net.connect({ host: hostname, port: Number(port), noDelay: true });
  edge.on('error', () => edge.destroy());
  edge.on('close', () => client.destroy());
  client.on('close', () => edge.destroy());
  edge.write(head);
  client.pipe(edge);
  edge.pipe(client);
}

// `token`: a good one of the user unless given. Resolves once it is online, or as `status` says.
async function openTab(context, user, { tabs = true, token = stack.sign(user), status = 'online' } = {}) {
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${app.address().port}/app`);
  await page.evaluate(
    ([own, shared]) => {
      const client = new window.walletwire.WalletwireClient({ tabs: shared, backoff: { baseMs: 50, maxMs: 500 } });
      const shown = [];
      client.on('notification', ({ data }) => shown.push(Number(data.level)));
      Object.assign(window, { client, shown });
      client.connect(() => own);
    },
    [token, tabs],
  );
  await page.waitForFunction((wanted) => window.client.connection.get().status === wanted, status);
  return page;
}

async function openContext() {
  const context = await browser.newContext();
  await context.addInitScript(() => {
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
      constructor(...args) {
        super(...args);
        window.sockets.push(this);
      }
    };
  });
  return context;
}

// Those of the tabs that are there. The edge counts one whose tab has gone for as long as Chromium lets it linger.
async function sockets(context) {
  const count = () => window.sockets.filter(({ readyState }) => readyState <= WebSocket.OPEN).length;
  const counts = await Promise.all(context.pages().map((page) => page.evaluate(count)));
  return counts.reduce((sum, n) => sum + n, 0);
}

const shownIn = (page) => page.evaluate(() => window.shown);
const upTo = (n) => Array.from({ length: n }, (_, i) => i);
const events = (user, from, to) => upTo(to - from).map((i) => kyc(user, from + i));
const showAll = (pages, n) => Promise.all(pages.map((page) => page.waitForFunction((count) => window.shown.length >= count, n)));

stack.test('five tabs share one socket, and each shows every item once and in order, also when the one that has it goes', async () => {
  const context = await openContext();
  const tabs = [];
  for (let i = 0; i < TABS; i++) tabs.push(await openTab(context, 'ann'));
  assert.equal(await sockets(context), 1);
  const held = await Promise.all(stack.status().edges.map(({ admin }) => stack.metric(admin, 'ww_edge_sockets')));
  assert.equal(held[0] + held[1], 1, 'the edges say so too');
  await stack.publish(events('ann', 0, 20));
  await showAll(tabs, 20);
  // A tab that comes later is told the states it missed.
  tabs.push(await openTab(context, 'ann'));
  await tabs[5].waitForFunction(() => window.client.unread.get()?.total === 20);
  assert.deepEqual(await shownIn(tabs.pop()), []);

  let published = 20;
  while (tabs.length > 1) {
    const publishing = stack.publish(events('ann', published, published + 20));
    await tabs.shift().close(); // the eldest has the socket
    await publishing;
    published += 20;
    await showAll(tabs, published);
    assert.equal(await sockets(context), 1);
  }
  for (const page of tabs) assert.deepEqual(await shownIn(page), upTo(published));
  await context.close();
});

stack.test('a tab without the socket asks through the one that has it, and asks again when that goes', async () => {
  const context = await openContext();
  const [leader, follower] = [await openTab(context, 'ben'), await openTab(context, 'ben')];
  await stack.publish(events('ben', 0, 3));
  await showAll([leader, follower], 3);
  const read = await follower.evaluate(() => window.client.notifications.read('all'));
  assert.deepEqual([read.changed, read.unread], [3, 0]);
  await leader.waitForFunction(() => window.client.unread.get().total === 0);
  const code = await follower.evaluate(() =>
    window.client.setPresence('gone').catch((error) => `${error.name} ${error.code} ${error.field}`),
  );
  assert.equal(code, 'RealtimeError invalid status');
  // Asked of the one that is there, which is frozen until it goes: nobody else can have answered.
  const freeze = await context.newCDPSession(leader);
  await freeze.send('Debugger.enable');
  const paused = new Promise((resolve) => freeze.once('Debugger.paused', resolve));
  await freeze.send('Debugger.pause');
  leader.evaluate(() => 0).catch(() => undefined); // what it stops at
  await paused;
  const asked = follower.evaluate(() => window.client.notifications.list({ limit: 2 }));
  await leader.close({ runBeforeUnload: false });
  assert.equal((await asked).items.length, 2);
  assert.equal(await sockets(context), 1);
  await context.close();
});

stack.test('a tab that is refused leaves the socket to one that is not', async () => {
  const context = await openContext();
  const refused = await openTab(context, 'eli', { token: `${stack.sign('eli')}x`, status: 'failed' });
  const good = await openTab(context, 'eli');
  await stack.publish(events('eli', 0, 2));
  await showAll([good], 2);
  assert.equal(await refused.evaluate(() => window.client.connection.get().reason), 'token_signature');
  await context.close();
});

stack.test('tabs of two users, and tabs that do not share, have sockets of their own', async () => {
  const context = await openContext();
  await openTab(context, 'cat');
  await openTab(context, 'dan');
  await openTab(context, 'dan', { tabs: false });
  assert.equal(await sockets(context), 3);
  await context.close();
});
