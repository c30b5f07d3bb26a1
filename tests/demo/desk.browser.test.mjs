// The bank desk and the operations page in a real Chromium: every button of the desk is seen by those it concerns.

import assert from 'node:assert/strict';
import { until } from '../e2e/harness.mjs';
import { assertAccessible, assertFits, assertQuiet, NAMES, SCREENS, shoot, useBrowser } from './browser.mjs';

const { stack, bank, windows } = useBrowser();

const form = (desk, title) => desk.page.getByRole('form', { name: title });
const press = (desk, title) => form(desk, title).getByRole('button').click();

async function fill(desk, title, fields) {
  for (const [label, value] of Object.entries(fields)) {
    const control = form(desk, title).getByLabel(label, { exact: true });
    if ((await control.evaluate((element) => element.tagName)) === 'SELECT') await control.selectOption(value);
    else await control.fill(value);
  }
  await press(desk, title);
}

const inbox = (page, text) => page.locator('.notification', { hasText: text }).first();

stack.test('every button of the desk is seen on the screens of those it concerns', async () => {
  const [desk, alice, bob] = [await windows.open('/bank'), await windows.signIn('alice'), await windows.signIn('bob')];
  await form(desk, 'Deposit').getByRole('option', { name: NAMES.bob }).waitFor({ state: 'attached' });

  await fill(desk, 'Payment between two people', { From: 'alice', To: 'bob', 'Amount in EUR': '3.21', Note: 'A desk payment' });
  for (const { page } of [alice, bob]) await page.locator('.movement', { hasText: 'A desk payment' }).waitFor();
  await fill(desk, 'Transfer that takes its time', { From: 'bob', To: 'alice', 'Amount in EUR': '4.32', Seconds: '2', Note: 'A desk transfer' });
  for (const { page } of [alice, bob]) await page.locator('.transfer', { hasText: 'A desk transfer' }).getByText('Arrived').waitFor();

  const people = [['alice', alice], ['bob', bob]];
  for (const [user, { page }] of people) {
    await fill(desk, 'Deposit', { Person: user, 'Amount in EUR': '5.43' });
    await page.locator('.movement[data-kind="deposit"]').getByText('+€5.43').waitFor();
    await fill(desk, 'Withdrawal', { Person: user, 'Amount in EUR': '6.54' });
    await page.locator('.movement[data-kind="withdrawal"]').getByText('-€6.54').waitFor();
    await fill(desk, 'Payment to a shop', { Person: user, 'Amount in EUR': '7.65' });
    await page.locator('.movement[data-kind="payment"]').getByText('-€7.65').waitFor();
    await fill(desk, 'Card activity', { Person: user, Kind: 'declined', 'Amount in EUR': '8.76' });
    await page.locator('.movement[data-kind="card"]').getByText('€8.76').waitFor();
    await fill(desk, 'Limit', { Person: user });
    await page.locator('.notification[data-event="limit:exceeded"]').waitFor();
    await fill(desk, 'Identity check', { Person: user, Status: 'verified' });
    await page.locator('.notification[data-event="kyc:update"]').waitFor();
    await fill(desk, 'Security alert', { Person: user, Message: `Alert for ${user}` });
    const alert = page.locator('.alert', { hasText: `Alert for ${user}` });
    await alert.getByRole('button', { name: 'I have read this' }).click();
    await alert.waitFor({ state: 'detached' });
    await inbox(page, `Alert for ${user}`).waitFor(); // read, and still in the inbox
  }

  await fill(desk, 'Announcement', { Title: 'Desk news', Message: 'For everybody.' });
  for (const { page } of [alice, bob]) await page.locator('.announcement', { hasText: 'Desk news' }).waitFor();
  await shoot(bob.page, 'wallet-announced-light');
  const option = form(desk, 'Take something back').getByRole('option', { name: /Desk news/ });
  await option.waitFor({ state: 'attached' });
  await fill(desk, 'Take something back', { What: await option.first().getAttribute('value') });
  for (const { page } of [alice, bob]) await page.locator('.announcement', { hasText: 'Desk news' }).waitFor({ state: 'detached' });

  // Friends: bob is alice's no more, then again.
  const friends = async (isChosen) => {
    await form(desk, 'Friends of a person').getByLabel(NAMES.bob).setChecked(isChosen);
    await press(desk, 'Friends of a person');
  };
  await alice.page.locator('.nav-button:visible', { hasText: 'Chat' }).click();
  const bobAsFriend = alice.page.locator('.friend', { hasText: NAMES.bob });
  await bobAsFriend.waitFor();
  await friends(false);
  await bobAsFriend.waitFor({ state: 'detached' });
  await friends(true);
  await bobAsFriend.waitFor();

  await fill(desk, 'End all sessions of a person', { Person: 'bob' });
  await bob.page.getByText('The bank has ended this session.').waitFor();
  assertQuiet(desk);
  for (const window of [alice, bob]) assertQuiet(window, { cut: true });
});

stack.test('the desk shows what everybody has, and says what the bank refuses', async () => {
  const desk = await windows.open('/bank');
  const row = desk.page.locator('[data-user="carol"]');
  await row.waitFor();
  const { carol } = await bank.wallets();
  await bank.post('/deposit', { userId: 'carol', amount: '1000.00' });
  const shown = (cents) => `€${(cents / 100).toLocaleString('en-GB', { minimumFractionDigits: 2 })}`;
  await row.getByText(shown(Number(carol.available.replace('.', '')) + 100_000)).waitFor();

  await fill(desk, 'Deposit', { Person: 'carol', 'Amount in EUR': 'a lot' });
  const amount = form(desk, 'Deposit').getByLabel('Amount in EUR');
  await form(desk, 'Deposit').getByRole('alert').waitFor();
  assert.equal(await amount.getAttribute('aria-invalid'), 'true');
  await desk.page.getByRole('log').getByText('refused').waitFor();
  // The browser itself writes down every 400.
  assert.equal(desk.errors.filter((text) => !text.includes('400')).length, 0);
});

stack.test('the day is paused and goes on', async () => {
  const desk = await windows.open('/bank');
  const day = desk.page.getByRole('region', { name: 'Simulated day' });
  await day.getByRole('combobox').selectOption('0.5');
  await day.getByRole('button', { name: 'Resume' }).click();
  await desk.page.getByText('by itself').nth(1).waitFor();
  await day.getByRole('button', { name: 'Pause' }).click();
  await day.getByRole('button', { name: 'Resume' }).waitFor();
  const { day: state } = await bank.get('/state');
  assert.deepEqual(state, { running: false, pace: 0.5 });
  assertQuiet(desk);
});

stack.test('operators see every edge, what is refused, and an edge that has gone', async () => {
  const ops = await windows.open('/ops');
  await ops.page.locator('.tile').first().waitFor();
  const rows = ops.page.locator('.ops-table tbody tr[data-state]').filter({ hasText: 'edge-' });
  await until('both edges are up', async () => (await rows.filter({ hasText: 'up' }).count()) === 2);
  const sockets = ops.page.locator('[data-tile="Sockets"] .tile-value');
  const before = Number(await sockets.textContent());
  const wallet = await windows.signIn('dave');
  await until('one socket more', async () => Number(await sockets.textContent()) === before + 1);
  const refused = await stack.client(stack.url(0), { auth: { token: 'nonsense' } }).refused();
  assert.equal(refused.data.code, 'token_malformed');
  await ops.page.getByRole('row', { name: /token_malformed/ }).waitFor();
  await stack.away('edge-2', async () => {
    await until('one edge is left', async () => (await rows.count()) === 1);
    await rows.filter({ hasText: 'edge-1' }).waitFor();
  });
  await until('both are up again', async () => (await rows.filter({ hasText: 'up' }).count()) === 2);
  for (const window of [ops, wallet]) assertQuiet(window, { cut: true });
});

stack.test('axe finds nothing serious on the desk and on the operations page, and they fit a phone', async () => {
  await bank.post('/send', { from: 'alice', to: 'bob', amount: '1.00' });
  for (const [path, ready] of [['/bank', '[data-user="bob"]'], ['/ops', '.tile']]) {
    for (const { size, scheme, viewport } of SCREENS) {
      const { page, errors, context } = await windows.open(path, { scheme, viewport });
      await page.locator(ready).first().waitFor();
      await shoot(page, `${path.slice(1)}-${size}-${scheme}`);
      await assertAccessible(page, `${path}, ${size}, ${scheme}`);
      await assertFits(page, `${path}, ${size}`);
      assertQuiet({ errors });
      await context.close();
    }
  }
});
