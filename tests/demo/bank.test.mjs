// Every route of the demo's bank does what it says, as stock clients of those concerned see it.

import assert from 'node:assert/strict';
import net from 'node:net';
import { request, until } from '../e2e/harness.mjs';
import { centsOf, PEOPLE, useDemo } from './bank.mjs';

const { stack, bank } = useDemo();

const BODY_MAX = 16 * 1024;
const SEND = { from: 'alice', to: 'bob', amount: '1.00' };

stack.test('money that is sent is seen by both, with the balances that it left', async () => {
  const sides = { alice: ['p2p_send', 'bob', -1250], bob: ['p2p_receive', 'alice', 1250] };
  const clients = Object.fromEntries(await Promise.all(Object.keys(sides).map(async (user) => [user, await bank.signIn(user)])));
  const before = await bank.wallets();
  const { id, events } = await bank.post('/send', { ...SEND, amount: '12.50', note: 'Dinner' });
  assert.deepEqual(events, [{ kind: 'transaction', id: `${id}/completed` }]);
  for (const [user, [type, other, change]] of Object.entries(sides)) {
    const seen = await clients[user].waitFor('transaction', (data) => data.id === id);
    assert.deepEqual([seen.type, seen.amount, seen.counterparty.userId, seen.message], [type, 12.5, other, 'Dinner']);
    const left = centsOf(before[user].available) + change;
    await clients[user].waitFor('balance:update', ({ available_balance }) => Math.round(100 * available_balance) === left);
    assert.equal(await bank.cents(user), left);
  }
});

stack.test('a transfer progresses to its end for both parties, and rests on the way', async () => {
  const [carol, dave] = [await bank.signIn('carol'), await bank.signIn('dave')];
  const before = await bank.wallets();
  const { id } = await bank.post('/transfer', { from: 'carol', to: 'dave', amount: '20.00', seconds: 5 });
  const during = await bank.wallets();
  assert.equal(centsOf(during.carol.available), centsOf(before.carol.available) - 2000);
  assert.equal(centsOf(during.dave.pending), centsOf(before.dave.pending) + 2000);
  for (const client of [carol, dave]) {
    await client.waitFor('transaction', (data) => data.id === id && data.status === 'pending');
    assert.equal((await client.ask('transfer:track', { transferId: id })).ok, true);
  }
  for (const client of [carol, dave]) {
    await client.waitFor('transfer:update', (data) => data.transferId === id && data.progress === 100 && data.final);
    await client.waitFor('transaction', (data) => data.id === id && data.status === 'completed');
    const steps = client.payloads('transfer:update').map(({ progress }) => progress);
    assert.deepEqual(steps, [...steps].sort((a, b) => a - b), 'it never goes back');
    assert.ok(steps.some((progress) => progress < 100), `it is seen on its way: ${steps}`);
  }
  const after = await bank.wallets();
  assert.equal(centsOf(after.dave.available), centsOf(before.dave.available) + 2000);
  assert.deepEqual([after.carol.pending, after.dave.pending], ['0.00', '0.00']);
});

stack.test('a transfer that fails gives the money back', async () => {
  const [carol, dave] = [await bank.signIn('carol'), await bank.signIn('dave')];
  const before = await bank.wallets();
  const { id } = await bank.post('/transfer', { from: 'carol', to: 'dave', amount: '20.00', seconds: 1, fails: true });
  for (const client of [carol, dave]) {
    const end = await client.waitFor('transfer:update', (data) => data.transferId === id && data.final);
    assert.deepEqual([end.state, end.progress, end.notification.title], ['failed', 50, 'Transfer from Carol to Dave failed']);
    await client.waitFor('transaction', (data) => data.id === id && data.status === 'failed');
  }
  const after = await bank.wallets();
  assert.deepEqual([after.carol.available, after.dave.available], [before.carol.available, before.dave.available]);
  assert.deepEqual([after.carol.pending, after.dave.pending], ['0.00', '0.00']);
});

// One user alone is told: the route, what it takes, the client's event, what is in it, the title, what it does to the
// balance in cents.
const ALONE = [
  ['/pay', { merchant: 'Corner Bakery', amount: '3.20' }, 'payment', { status: 'completed', amount: 3.2 }, 'Paid at Corner Bakery', -320],
  ['/deposit', { amount: '50.00', note: 'Wages' }, 'deposit', { amount: 50, message: 'Wages' }, 'Deposit received', 5000],
  ['/withdraw', { amount: '40.05' }, 'withdrawal', { amount: 40.05 }, 'Withdrawal completed', -4005],
  ['/card', { merchant: 'Metro', amount: '2.10' }, 'card:activity', { type: 'purchase', last4: '4242' }, 'Card payment at Metro', -210],
  ['/card', { merchant: 'Metro', amount: '2.10', type: 'refund' }, 'card:activity', { amount: 2.1 }, 'Refund from Metro', 210],
  ['/card', { merchant: 'Metro', amount: '9.99', type: 'declined' }, 'card:activity', { type: 'declined' }, 'Card declined at Metro', 0],
  ['/alert', { severity: 'medium', message: 'New sign-in', action: 'Look' }, 'security:alert', { severity: 'medium', action: 'Look' }, 'Security alert', 0],
  ['/alert', { severity: 'critical', message: 'Danger' }, 'security:alert', { message: 'Danger' }, 'Act now: your account is at risk', 0],
  ['/limit', { limit: 'card', used: '90.00', max: '100.00' }, 'limit:exceeded', { used: 90, max: 100, period: 'daily' }, 'Your daily card limit is used to 90 %', 0],
  ['/limit', { limit: 'card', period: 'weekly', used: '5', max: '5' }, 'limit:exceeded', { period: 'weekly' }, 'Your weekly card limit is used up', 0],
  ['/kyc', { status: 'verified' }, 'kyc:update', { status: 'verified', level: 'full' }, 'Your identity is confirmed', 0],
];

stack.test('what concerns one user is told to that user alone, with a title', async () => {
  const [alice, bob] = [await bank.signIn('alice'), await bank.signIn('bob')];
  for (const [path, body, name, fields, title, change] of ALONE) {
    const before = await bank.cents('alice');
    alice.mark();
    const { events } = await bank.post(path, { userId: 'alice', ...body });
    const seen = await alice.waitFor(name, ({ notification }) => notification.id === events[0].id);
    assert.equal(seen.notification.title, title);
    for (const [field, value] of Object.entries(fields)) assert.equal(seen[field], value, `${path} ${field}`);
    assert.equal(await bank.cents('alice'), before + change, path);
  }
  // Bob was sent what came after, and nothing of it.
  const { id } = await bank.post('/send', SEND);
  await bob.waitFor('transaction', (data) => data.id === id);
  assert.deepEqual(bob.items().map((item) => item.id), [id]);
});

stack.test('an announcement reaches everybody, or those it is for, until it is recalled', async () => {
  const clients = await Promise.all(PEOPLE.map((user) => bank.signIn(user)));
  const some = await bank.post('/broadcast', { title: 'For gold', message: 'Shiny', audience: { tiers: ['gold'] } });
  const all = await bank.post('/broadcast', { title: 'For all', message: 'Hello', severity: 'high', expiresInSeconds: 600 });
  for (const client of clients) {
    const seen = await client.waitFor('announcement', ({ id }) => id === all.id);
    assert.deepEqual([seen.title, seen.text, seen.priority], ['For all', 'Hello', 'high']);
    assert.ok(Math.abs(new Date(seen.expiresAt) - Date.now() - 600_000) < 60_000);
  }
  const told = clients.map((client) => client.payloads('announcement').filter(({ id }) => id === some.id).length);
  assert.deepEqual(told, [1, 1, 0, 0], 'alice and bob are gold');
  await bank.post('/recall', some.events[0]);
  await bank.post('/recall', all.events[0]);
  for (const client of clients) await client.waitFor('notifications:changed', ({ action, ids }) => action === 'recalled' && ids.includes(all.id));
});

stack.test('what was told is taken back by its answer', async () => {
  const dave = await bank.signIn('dave');
  const { events } = await bank.post('/kyc', { userId: 'dave', status: 'rejected' });
  await dave.waitFor('kyc:update', ({ notification }) => notification.id === events[0].id);
  assert.deepEqual(await bank.post('/recall', events[0]), { recalled: 1 });
  await dave.waitFor('notifications:changed', ({ action, ids }) => action === 'recalled' && ids.includes(events[0].id));
  assert.deepEqual(await bank.post('/recall', events[0]), { recalled: 0 });
  const unknown = await bank.ask('POST', '/recall', { kind: 'kyc', id: 'never' });
  assert.deepEqual([unknown.status, unknown.body.error.code, unknown.body.error.field], [404, 'not_found', 'id']);
});

stack.test('who is signed out everywhere is signed in again at once', async () => {
  const carol = await bank.signIn('carol');
  assert.deepEqual(await bank.post('/revoke', { userId: 'carol' }), { userId: 'carol' });
  await carol.disconnected();
  const again = await bank.signIn('carol');
  assert.equal((await again.ask('notifications:unread')).ok, true);
});

stack.test('friends are made at the start, and unmade at the desk', async () => {
  const bob = await bank.signIn('bob');
  const friends = async () => (await bob.ask('presence:friends')).users.map(({ userId }) => userId).sort();
  assert.deepEqual(await until('the friends of the start', async () => (await friends()).length === 2 && friends()), ['alice', 'carol']);
  assert.deepEqual(await bank.post('/friends', { userId: 'bob', friends: ['dave'] }), { added: 1, removed: 2, friends: 1 });
  await until('dave alone', async () => (await friends()).join() === 'dave');
  await bank.post('/friends', { userId: 'bob', friends: ['alice', 'carol'] });
});

stack.test('tokens are for the ready-made users alone, for an hour, and only ops sees operations', async () => {
  const { users } = await bank.get('/users');
  assert.deepEqual(users.map(({ id }) => id), [...PEOPLE, 'ops']);
  assert.ok(users.every(({ name, role, colour }) => name && role && /^#[0-9a-f]{6}$/.test(colour)));
  for (const userId of ['mallory', '', 'Alice', 'alice ', '__proto__']) {
    const { status, body } = await bank.ask('POST', '/sign-in', { userId });
    assert.deepEqual([status, body.error.field], [400, 'userId'], userId);
  }
  const operations = (token) => stack.client(`${stack.url('http')}/ops`, { auth: { token } });
  for (const { id } of users) {
    const { token, expiresAt } = await bank.post('/sign-in', { userId: id });
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    assert.deepEqual([claims.sub, claims.exp - claims.iat, claims.role], [id, 3600, id === 'ops' ? 'ops' : undefined]);
    assert.equal(new Date(expiresAt).getTime(), claims.exp * 1000);
    if (id === 'ops') await operations(token).connected();
    else await operations(token).refused();
  }
});

stack.test('balances are answered when Walletwire asks', async () => {
  const alice = await bank.signIn('alice');
  const { balances } = await alice.ask('balance:get');
  const [wallet] = balances;
  assert.deepEqual([balances.length, wallet.walletId, wallet.currency], [1, 'alice-eur', 'EUR']);
  assert.equal(Math.round(100 * wallet.available_balance), await bank.cents('alice'));
  const { ok, error } = await (await bank.signIn('ops')).ask('balance:get');
  assert.deepEqual([ok, error?.code], [false, 'not_found'], 'the bank says that ops has no wallet');
});

stack.test('a request under the same key is done once, whoever comes first', async () => {
  const before = await bank.cents('bob');
  const headers = { 'Idempotency-Key': 'once-1' };
  const answers = await Promise.all(Array.from({ length: 10 }, () => bank.post('/send', SEND, headers)));
  assert.ok(answers.every(({ id }) => id === answers[0].id));
  assert.equal(await bank.cents('bob'), before + 100);
  const other = await bank.ask('POST', '/send', { ...SEND, amount: '2.00' }, headers);
  assert.deepEqual([other.status, other.body.error.field], [409, 'Idempotency-Key']);
  const elsewhere = await bank.ask('POST', '/deposit', { userId: 'bob', amount: '1.00' }, headers);
  assert.equal(elsewhere.status, 409);
  // What was refused used no key.
  const poor = { 'Idempotency-Key': 'once-2' };
  assert.equal((await bank.ask('POST', '/send', { ...SEND, amount: '9999.00' }, poor)).status, 409);
  await bank.post('/send', SEND, poor);
  assert.equal(await bank.cents('bob'), before + 200);
});

stack.test('more money than there is, or than fits, is refused and moves nothing', async () => {
  const before = await bank.wallets();
  for (const [path, body] of [
    ['/send', { ...SEND, amount: '9999.99' }],
    ['/transfer', { ...SEND, amount: '9999.99' }],
    ['/withdraw', { userId: 'bob', amount: '9999.99' }],
    ['/pay', { userId: 'bob', merchant: 'M', amount: '9999.99' }],
    ['/card', { userId: 'bob', merchant: 'M', amount: '9999.99' }],
  ]) {
    const { status, body: answer } = await bank.ask('POST', path, body);
    assert.deepEqual([status, answer.error.code, answer.error.field], [409, 'conflict', 'amount'], path);
  }
  assert.deepEqual(await bank.wallets(), before);
});

// Says `text` to the bank itself, and goes.
function hangUp(text) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(new URL(bank.entry.admin).port), '127.0.0.1', () => socket.end(text));
    socket.on('error', reject);
    socket.on('close', resolve);
    socket.resume();
  });
}

const LONG = 'x'.repeat(600);
// The route, what is wrong, and the field that is named.
const BAD = [
  ['/send', 'null', 'body'],
  ['/send', '', 'body'],
  ['/send', '{"from":', 'body'],
  ['/send', '[]', 'body'],
  ['/send', { to: 'bob', amount: '1' }, 'from'],
  ['/send', { ...SEND, to: 'alice' }, 'to'],
  ['/send', { ...SEND, to: 'ops' }, 'to'],
  ['/send', { ...SEND, to: ['bob'] }, 'to'],
  ['/send', { ...SEND, amount: 1 }, 'amount'],
  ['/send', { ...SEND, amount: '1.001' }, 'amount'],
  ['/send', { ...SEND, amount: '-1' }, 'amount'],
  ['/send', { ...SEND, amount: '0' }, 'amount'],
  ['/send', { ...SEND, amount: '10000.01' }, 'amount'],
  ['/send', { ...SEND, amount: '1e3' }, 'amount'],
  ['/send', { ...SEND, note: LONG }, 'note'],
  ['/send', { ...SEND, note: 'a\u0000b' }, 'note'],
  ['/send', { ...SEND, colour: 'red' }, 'colour'],
  ['/send', '{"__proto__":{"from":"alice"}}', '__proto__'],
  ['/transfer', { ...SEND, seconds: 0 }, 'seconds'],
  ['/transfer', { ...SEND, seconds: 121 }, 'seconds'],
  ['/transfer', { ...SEND, seconds: 1.5 }, 'seconds'],
  ['/transfer', { ...SEND, fails: 'yes' }, 'fails'],
  ['/pay', { userId: 'alice', amount: '1' }, 'merchant'],
  ['/deposit', { userId: 'nobody', amount: '1' }, 'userId'],
  ['/withdraw', { userId: 'alice' }, 'amount'],
  ['/card', { userId: 'alice', merchant: 'M', amount: '1', type: 'stolen' }, 'type'],
  ['/alert', { userId: 'alice', severity: 'fatal', message: 'm' }, 'severity'],
  ['/alert', { userId: 'alice', severity: 'low', message: LONG }, 'message'],
  ['/alert', { userId: 'alice', severity: 'low', message: '\u202egnp' }, 'message'],
  ['/limit', { userId: 'alice', limit: 'card', used: '1', max: '0' }, 'max'],
  ['/limit', { userId: 'alice', limit: 'card', used: '1', max: '2', period: 'hourly' }, 'period'],
  ['/kyc', { userId: 'alice', status: 'maybe' }, 'status'],
  ['/broadcast', { title: '', message: 'm' }, 'title'],
  ['/broadcast', { title: 't', message: 'm', audience: { tiers: [5] } }, 'audience.tiers[0]'],
  ['/broadcast', { title: 't', message: 'm', audience: { colours: [] } }, 'audience.colours'],
  ['/broadcast', { title: 't', message: 'm', expiresInSeconds: 0 }, 'expiresInSeconds'],
  ['/recall', { kind: 'balance', id: 'x' }, 'kind'],
  ['/recall', { kind: 'kyc', id: 'x'.repeat(129) }, 'id'],
  ['/revoke', { userId: 'mallory' }, 'userId'],
  ['/friends', { userId: 'alice', friends: 'bob' }, 'friends'],
  ['/friends', { userId: 'alice', friends: ['bob', 'mallory'] }, 'friends[1]'],
  ['/friends', { userId: 'alice', friends: ['alice'] }, 'friends[0]'],
  ['/day', { running: 1 }, 'running'],
  ['/day', { pace: 0.1 }, 'pace'],
  ['/day', { pace: '5' }, 'pace'],
];

stack.test('what makes no sense is a 400 that names the field, and changes nothing', async () => {
  const before = await bank.get('/state');
  for (const [path, body, field] of BAD) {
    const { status, body: answer } = await bank.ask('POST', path, body);
    const what = `${path} ${JSON.stringify(body).slice(0, 80)}: ${JSON.stringify(answer)}`;
    assert.deepEqual([status, answer.error?.code, answer.error?.field], [400, 'invalid', field], what);
  }
  for (const key of ['', 'a b', 'x'.repeat(65), 'ü']) {
    const { status, body } = await bank.ask('POST', '/send', SEND, { 'Idempotency-Key': Buffer.from(key).toString('latin1') });
    assert.deepEqual([status, body.error.field], [400, 'Idempotency-Key'], key);
  }
  const { transfers: _, ...after } = await bank.get('/state');
  const { transfers: __, ...earlier } = before;
  assert.deepEqual(after, earlier);
  assert.ok((await stack.metric(bank.entry.admin, 'ww_bank_requests_total', 'status="400"')) >= BAD.length, 'it is counted');
});

stack.test('the wrong method, route, type or size has its own answer, and none tells of the inside', async () => {
  const raw = (headers, body) => bank.ask('POST', '/send', body, headers);
  const big = JSON.stringify({ ...SEND, note: 'x'.repeat(BODY_MAX) });
  const counted = await stack.metric(bank.entry.admin, 'ww_bank_requests_total', 'send",status="400"');
  const answers = {
    404: [await bank.ask('GET', '/nothing'), await bank.ask('GET', '/'), await bank.ask('POST', '/state/x', {}), await bank.ask('GET', '/%73tate')],
    405: [await bank.ask('GET', '/send'), await bank.ask('DELETE', '/state'), await bank.ask('POST', '/users', {})],
    413: [await raw({}, big), await raw({ 'Transfer-Encoding': 'chunked' }, big)],
    415: [await raw({ 'Content-Type': 'text/plain' }, JSON.stringify(SEND)), await raw({ 'Content-Type': 'application/x-www-form-urlencoded' }, 'a=b')],
  };
  for (const [status, all] of Object.entries(answers)) {
    for (const answer of all) {
      assert.equal(answer.status, Number(status), JSON.stringify(answer.body));
      assert.deepEqual(Object.keys(answer.body), ['error']);
      assert.ok(answer.body.error.code && answer.body.error.message);
      assert.doesNotMatch(JSON.stringify(answer.body), /\bat |node:|\.js|Error/);
    }
    assert.ok(all.every(({ headers }) => headers['walletwire-example'] === 'a demonstration, not a bank'));
  }
  assert.equal(answers[405][0].headers.allow, 'POST');
  // Without HAProxy, which reads ahead: a body that is cut off, and one that does not end.
  const direct = (headers) => request(`${bank.entry.admin}/bank/api/send`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: big + big });
  for (const headers of [{ 'Content-Length': 2 * Buffer.byteLength(big) }, { 'Transfer-Encoding': 'chunked' }]) assert.equal((await direct(headers)).status, 413);
  await hangUp(`POST /bank/api/send HTTP/1.1\r\nHost: bank\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"from":`);
  await until('it is counted', async () => (await stack.metric(bank.entry.admin, 'ww_bank_requests_total', 'send",status="400"')) > counted);
  await bank.post('/send', SEND);
});

stack.test('HAProxy hands the bank its API and nothing else', async () => {
  const at = (path) => request(`${stack.url('http')}${path}`);
  assert.equal((await at('/bank/api/readyz')).status, 200);
  assert.equal((await at('/bank/api/healthz')).status, 200);
  for (const path of ['/metrics', '/readyz', '/bank/metrics', '/bank/apis/users', '/bank/api/metrics', '/bank/api/../../metrics', '/bank/api/%2e%2e/%2e%2e/metrics']) {
    const { status, body } = await at(path);
    assert.equal(status, 404, `${path}: ${body}`);
  }
  assert.match((await request(`${bank.entry.admin}/metrics`)).body, /^ww_bank_requests_total\{/m);
});

stack.test('a day that is paused really stops, one that goes on shows it to those concerned', async () => {
  const clients = await Promise.all(PEOPLE.map((user) => bank.signIn(user)));
  assert.deepEqual(await bank.post('/day', { running: true, pace: 0.2 }), { running: true, pace: 0.2 });
  const byDay = async () => (await bank.get('/state')).done.filter(({ by }) => by === 'day');
  const happened = await until('ten things', async () => (await byDay()).length >= 10 && byDay());
  const told = () => clients.flatMap((client) => client.items().map(({ notification }) => notification.id));
  const lately = happened.flatMap(({ events }) => events.map(({ id }) => id));
  await until('all of it is told', () => lately.every((id) => told().includes(id)));

  assert.deepEqual(await bank.post('/day', { running: false }), { running: false, pace: 0.2 });
  const last = (await byDay())[0].seq;
  // A transfer of two seconds is carried out meanwhile: ten times the pace of the day.
  const { id } = await bank.post('/transfer', { ...SEND, seconds: 2 });
  await clients[0].waitFor('transfer:update', (data) => data.transferId === id && data.final);
  assert.equal((await byDay())[0].seq, last);

  await bank.post('/day', { running: true });
  await until('it goes on', async () => (await byDay())[0].seq > last);
  await bank.post('/day', { running: false, pace: 6 });
});

stack.test('the pace and a pause outlast a death of the process', async () => {
  await bank.post('/day', { running: false, pace: 7.5 });
  await stack.kill('bank');
  await stack.waitReady('bank');
  await until('HAProxy knows', async () => (await bank.ask('GET', '/readyz')).status === 200);
  assert.deepEqual((await bank.get('/state')).day, { running: false, pace: 7.5 });
});

stack.test('while a service or PostgreSQL is away it says so, and nobody is told what it does not know', async () => {
  await stack.away('postgres', async () => {
    const { status, body } = await bank.ask('POST', '/send', SEND);
    assert.equal(status, 503);
    if (body.error) assert.equal(body.error.code, 'unavailable'); // else HAProxy has noticed already
    await until('it is not ready', async () => (await request(`${bank.entry.admin}/readyz`)).status === 503);
    assert.equal((await request(`${bank.entry.admin}/healthz`)).status, 200);
  });
  await stack.waitReady('bank');
  await until('HAProxy knows', async () => (await bank.ask('GET', '/readyz')).status === 200);
  await bank.post('/send', SEND);
});

stack.test('the bank may write its own tables and the outbox, and read nobody else', async () => {
  const denied = async (sql) => assert.rejects(stack.psql('bank', '-c', sql), /permission denied/, sql);
  await denied('SELECT 1 FROM notifications.mailbox');
  await denied('SELECT 1 FROM chat.rooms');
  await denied('SELECT 1 FROM presence.friends');
  await denied('SELECT 1 FROM walletwire_outbox.events');
  await denied('DELETE FROM walletwire_outbox.events');
  await assert.rejects(
    stack.psql('bank', '-c', "WITH m AS (INSERT INTO bank.movements VALUES ('odd', 'odd') RETURNING id) INSERT INTO bank.entries VALUES ('odd', 'world', 1)"),
    /does not sum to zero/,
  );
});

stack.test('books, inboxes and logs are in order at the end', async () => {
  await bank.assertBooks();
  await stack.assertNoDeadLetters();
  await stack.verifyAll(PEOPLE);
  const log = stack.log('bank');
  assert.doesNotMatch(log, /eyJ|Dinner|\d+\.\d\d\b(?!\d*Z)|password/);
  assert.doesNotMatch(log, /"level":"error"/);
});
