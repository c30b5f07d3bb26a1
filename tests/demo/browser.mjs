// What the tests of the pages share: people in windows of a real Chromium, and what went wrong in them.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after } from 'node:test';
import { ROOT } from '../e2e/harness.mjs';
import { useDemo } from './bank.mjs';

const require = createRequire(new URL('../../clients/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export const NAMES = { alice: 'Alice Moreau', bob: 'Bob Tanaka', carol: 'Carol Okafor', dave: 'Dave Lindqvist' };
export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

// Both sizes and both colours, each once.
export const SCREENS = [
  { size: 'desk', scheme: 'light', viewport: DESK },
  { size: 'phone', scheme: 'dark', viewport: PHONE },
];

// Below build/, so that whoever looks at a run finds them.
export const SHOTS = join(ROOT, 'build', 'demo-shots');
const WAIT_MS = 20_000;
// What the browser itself says of a connection that is lost on purpose.
const OF_THE_NETWORK = /net::ERR_|WebSocket connection to|Failed to load resource/;

export function useBrowser(options = {}) {
  const demo = useDemo(options);
  const windows = new Windows(demo.stack);
  after(() => windows.close());
  return { ...demo, windows };
}

class Windows {
  constructor(stack) {
    this.stack = stack;
    mkdirSync(SHOTS, { recursive: true });
  }

  async close() {
    await this.browser?.close();
  }

  // A window of its own, as on another device: { page, errors, context }.
  async open(path = '/', { viewport = DESK, scheme = 'light' } = {}) {
    // As root there is no sandbox to be had.
    const args = ['--no-sandbox', '--disable-dev-shm-usage'];
    this.browser ??= await chromium.launch({ executablePath: '/usr/bin/chromium', args });
    const context = await this.browser.newContext({ viewport, colorScheme: scheme, reducedMotion: 'reduce' });
    context.setDefaultTimeout(WAIT_MS);
    const page = await context.newPage();
    const errors = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(String(error)));
    await page.goto(`${this.stack.url('http')}${path}`);
    return { page, errors, context };
  }

  // A window in which somebody has signed in and is connected.
  async signIn(user, options) {
    const window = await this.open('/', options);
    await window.page.getByRole('button', { name: NAMES[user] }).click();
    await window.page.locator('.connection[data-status="online"]').waitFor();
    return window;
  }
}

export async function shoot(page, name) {
  await page.screenshot({ path: join(SHOTS, `${name}.png`) });
}

// Nothing was said in the console but by the browser of connections that a test cut.
export function assertQuiet({ errors }, { cut = false } = {}) {
  const left = cut ? errors.filter((text) => !OF_THE_NETWORK.test(text)) : errors;
  assert.deepEqual(left, []);
}

// What axe finds that keeps people out.
export async function assertAccessible(page, what) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run();
    return violations.map(({ id, impact, nodes }) => ({ id, impact, at: nodes.map(({ html }) => html.slice(0, 160)) }));
  });
  const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(serious, [], what);
}

export async function assertFits(page, what) {
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(overflow, 0, `${what}: nothing is wider than the window`);
}

// On a page of the wallet: the section beside the money, or the one that a phone shows.
export async function go(page, section) {
  await page.locator('.nav-button:visible', { hasText: section }).click();
}

export async function openChat(page, friend) {
  await go(page, 'Chat');
  await page.locator('.friend', { hasText: NAMES[friend] }).click();
  return page.getByLabel(`Write to ${NAMES[friend]}`);
}

export async function unreadIn(page) {
  const badge = page.locator('.nav-button:visible [data-testid="badge-notifications"]');
  return (await badge.count()) === 0 ? 0 : Number.parseInt(await badge.first().textContent(), 10);
}
