// The demo's wallet in a real Chromium: what two people see of what they do.

import assert from 'node:assert/strict';
import { request, until } from '../e2e/harness.mjs';
import { assertAccessible, assertFits, assertQuiet, go, NAMES, openChat, PHONE, SCREENS, shoot, unreadIn, useBrowser } from './browser.mjs';

const { stack, bank, windows } = useBrowser();

const movement = (page, text) => page.locator('.movement', { hasText: text }).first();
const balanceOf = async (page) => (await page.getByTestId('balance').textContent()).replace(/[^\d.]/g, '');
const shows = (page, amount) => until(`${amount} is shown`, async () => (await balanceOf(page)) === amount);

stack.test('money that is sent is seen by both, in the balance, the activity and the inbox', async () => {
  const [alice, bob] = [await windows.signIn('alice'), await windows.signIn('bob', { viewport: PHONE })];
  const send = alice.page.getByRole('region', { name: 'Send money' });
  await send.getByLabel('To').selectOption({ label: NAMES.bob });
  await send.getByLabel('Amount in EUR').fill('12,50');
  await send.getByLabel('Note').fill('Lunch <b>& tea</b>');
  await send.getByRole('button', { name: 'Send' }).click();
  await send.getByText('€12.50 sent to Bob Tanaka.').waitFor();
  for (const [{ page }, other, amount] of [[alice, NAMES.bob, '-€12.50'], [bob, NAMES.alice, '+€12.50']]) {
    const row = movement(page, 'Lunch <b>& tea</b>');
    await row.getByText(amount).waitFor();
    await row.getByText(other).waitFor();
  }
  const wallets = await bank.wallets();
  await shows(alice.page, wallets.alice.available);
  await shows(bob.page, wallets.bob.available);
  await until('one unread', async () => (await unreadIn(bob.page)) === 1);
  for (const window of [alice, bob]) assertQuiet(window);
});

stack.test('what is refused is said at its field, and nothing is sent', async () => {
  const carol = await windows.signIn('carol');
  const before = await bank.wallets();
  const send = carol.page.getByRole('region', { name: 'Send money' });
  const amount = send.getByLabel('Amount in EUR');
  for (const [text, message] of [['nothing', 'Please enter an amount such as 12.50.'], ['99999', 'That is more than there is.']]) {
    await amount.fill(text);
    await send.getByRole('button', { name: 'Send' }).click();
    await send.getByText(message).waitFor();
    assert.equal(await amount.getAttribute('aria-invalid'), 'true');
    assert.equal(await amount.evaluate((input) => input === document.activeElement), true, 'the field has the focus');
  }
  assert.deepEqual((await bank.wallets()).carol, before.carol);
  assertQuiet(carol);
});

stack.test('badges of two devices agree, whichever reads', async () => {
  const [first, second] = [await windows.signIn('dave'), await windows.signIn('dave', { viewport: PHONE })];
  for (const title of ['One', 'Two', 'Three']) await bank.post('/deposit', { userId: 'dave', amount: '1.00', note: title });
  const both = (n) => until(`${n} unread on both`, async () => (await unreadIn(first.page)) === n && (await unreadIn(second.page)) === n);
  await both(3);
  await first.page.getByRole('button', { name: /^Mark as read/ }).first().click();
  await both(2);
  await go(second.page, 'Notifications');
  await second.page.getByRole('button', { name: /^Archive/ }).first().click();
  await second.page.getByRole('button', { name: 'Mark all as read' }).click();
  await both(0);
  assert.equal((await stack.verify('dave')).consistent, true);
  for (const window of [first, second]) assertQuiet(window);
});

stack.test('a transfer is followed to its end by both parties', async () => {
  const [alice, bob] = [await windows.signIn('alice'), await windows.signIn('bob')];
  const send = alice.page.getByRole('region', { name: 'Send money' });
  await send.getByLabel('Amount in EUR').fill('20');
  await send.getByLabel('Note').fill('For the flat');
  await send.getByRole('checkbox').check();
  await send.getByRole('button', { name: 'Send' }).click();
  for (const { page } of [alice, bob]) {
    const transfer = page.locator('.transfer', { hasText: 'For the flat' });
    await transfer.getByText('Arrived').waitFor();
    await transfer.getByText('100 %').waitFor();
    await page.locator('.movement[data-status="completed"]', { hasText: 'For the flat' }).waitFor();
  }
  for (const window of [alice, bob]) assertQuiet(window);
});

stack.test('two people chat: typing, read, edited, deleted', async () => {
  const [alice, bob] = [await windows.signIn('alice'), await windows.signIn('bob', { viewport: PHONE })];
  const [fromAlice, fromBob] = [await openChat(alice.page, 'bob'), await openChat(bob.page, 'alice')];
  await alice.page.locator('[data-presence="online"]').waitFor();
  await fromAlice.pressSequentially('Hi <Bob>');
  await bob.page.getByText('Alice Moreau is typing…').waitFor();
  await fromAlice.press('Enter');
  await bob.page.locator('.bubble', { hasText: 'Hi <Bob>' }).waitFor();
  await alice.page.locator('.message.own', { hasText: 'Hi <Bob>' }).getByText('Read').waitFor();
  await fromBob.fill('Hello');
  await fromBob.press('Enter');
  await alice.page.locator('.message.theirs', { hasText: 'Hello' }).waitFor();

  await alice.page.getByRole('button', { name: 'Edit: Hi <Bob>' }).click();
  await alice.page.getByLabel('Edit the message', { exact: true }).last().fill('Hi Bob');
  await alice.page.keyboard.press('Enter');
  await bob.page.locator('.message', { hasText: 'Hi Bob' }).getByText('edited').waitFor();
  await alice.page.getByRole('button', { name: 'Delete: Hi Bob' }).click();
  await bob.page.getByText('This message was deleted.').waitFor();
  for (const window of [alice, bob]) assertQuiet(window);
});

stack.test('what is written while the edges are away waits, and arrives once and in order', async () => {
  const [alice, bob] = [await windows.signIn('alice'), await windows.signIn('bob')];
  const text = await openChat(alice.page, 'bob');
  await openChat(bob.page, 'alice');
  const texts = ['Waiting one', 'Waiting two', 'Waiting three'];
  await stack.away('edge-1', () =>
    stack.away('edge-2', async () => {
      await alice.page.locator('.connection[data-status="reconnecting"]').waitFor();
      for (const one of texts) {
        await text.fill(one);
        await text.press('Enter');
      }
      await until('three wait', async () => (await alice.page.locator('.message.waiting').count()) === 3);
      await alice.page.getByText(/Retrying in \d+ s/).waitFor();
      await shoot(alice.page, 'offline-desk-light');
    }),
  );
  for (const { page } of [alice, bob]) {
    await page.locator('.message:not(.waiting)', { hasText: 'Waiting three' }).waitFor();
    const shown = await page.locator('.message .bubble', { hasText: /^Waiting/ }).allTextContents();
    assert.deepEqual(shown, texts);
  }
  assert.equal(await alice.page.locator('.message.waiting').count(), 0);
  for (const window of [alice, bob]) assertQuiet(window, { cut: true });
});

stack.test('a session that the bank ends is over on every device, also after a reload', async () => {
  const [first, second] = [await windows.signIn('carol'), await windows.signIn('carol', { viewport: PHONE })];
  await first.page.reload();
  await first.page.locator('.connection[data-status="online"]').waitFor(); // a reload keeps who is signed in
  await bank.post('/revoke', { userId: 'carol' });
  for (const { page } of [first, second]) {
    await page.getByText('The bank has ended this session.').waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Whose wallet' }).waitFor();
  }
  await first.page.getByRole('button', { name: NAMES.carol }).click();
  await first.page.locator('.connection[data-status="online"]').waitFor();
  await first.page.getByRole('button', { name: 'Sign out' }).click();
  await first.page.getByRole('heading', { name: 'Whose wallet' }).waitFor();
  for (const window of [first, second]) assertQuiet(window, { cut: true });
});

stack.test('two tabs of a person share one socket', async () => {
  const { page, context, errors } = await windows.signIn('dave');
  const tab = await context.newPage();
  const own = [];
  tab.on('websocket', (socket) => own.push(socket.url()));
  tab.on('request', (request) => new URL(request.url()).pathname === '/socket.io/' && own.push(request.url()));
  await tab.goto(page.url());
  await tab.getByRole('button', { name: NAMES.dave }).click();
  await tab.locator('.connection[data-status="online"]').waitFor();
  await tab.getByTestId('balance').waitFor();
  assert.deepEqual(own, []);
  assertQuiet({ errors });
});

stack.test('everything can be done from the keyboard, in the order of the page', async () => {
  const { page, errors } = await windows.open('/');
  await page.getByRole('button', { name: NAMES.alice }).focus();
  await page.keyboard.press('Enter');
  await page.locator('.connection[data-status="online"]').waitFor();
  const reached = [];
  await page.evaluate(() => document.activeElement?.blur());
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent));
  }
  const order = ['Skip to content', 'Sign out', 'Use dark colours'];
  assert.deepEqual([...new Set(reached)].filter((name) => order.includes(name)), order);
  assertQuiet({ errors });
});

stack.test('axe finds nothing serious in the wallet, and it fits a phone', async () => {
  await bank.post('/alert', { userId: 'bob', severity: 'critical', message: 'A new device signed in.', action: 'Change your password.' });
  await bank.post('/broadcast', { title: 'Maintenance', message: 'From 02:00 to 02:10.' });
  for (const { size, scheme, viewport } of SCREENS) {
    const { page, errors, context } = await windows.open('/', { scheme, viewport });
    await page.getByRole('button', { name: NAMES.bob }).waitFor();
    await assertAccessible(page, `signing in, ${size}, ${scheme}`);
    await page.getByRole('button', { name: NAMES.bob }).click();
    await bank.post('/transfer', { from: 'bob', to: 'dave', amount: '1.00', seconds: 120 });
    await page.locator('.transfer').first().waitFor();
    await page.getByRole('alert').first().waitFor();
    await shoot(page, `wallet-${size}-${scheme}`);
    await assertAccessible(page, `wallet, ${size}, ${scheme}`);
    await go(page, 'Notifications');
    await shoot(page, `notifications-${size}-${scheme}`);
    if (viewport === PHONE) await assertAccessible(page, `notifications, ${size}, ${scheme}`);
    await assertFits(page, `notifications, ${size}`);
    await openChat(page, 'alice');
    await page.getByRole('log').waitFor();
    await shoot(page, `chat-${size}-${scheme}`);
    await assertAccessible(page, `a chat, ${size}, ${scheme}`);
    await assertFits(page, `a chat, ${size}`);
    assertQuiet({ errors });
    await context.close();
  }
});

stack.test('the first load is small', async () => {
  const { page, context } = await windows.open();
  await page.getByRole('button', { name: NAMES.alice }).waitFor();
  const urls = await page.evaluate(() => [location.href, ...performance.getEntriesByType('resource').map(({ name }) => name)]);
  let bytes = 0;
  for (const url of new Set(urls.filter((name) => !name.includes('/bank/api/') && !name.includes('/socket.io/')))) {
    const { headers } = await request(url, { headers: { 'Accept-Encoding': 'gzip' } });
    bytes += Number(headers['content-length']);
  }
  assert.ok(bytes > 50_000 && bytes < 300_000, `${bytes} bytes`);
  await context.close();
});
