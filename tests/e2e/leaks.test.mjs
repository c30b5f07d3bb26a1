// What is secret is in no log, no metric and no list of processes: marked tokens, session ids, card numbers, amounts,
// texts and passwords go every way there is, those that fail too, while everything logs all it can.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { request, run, until, useStack } from './harness.mjs';
import { NatsWire } from './natswire.mjs';
import { RawSocket } from './raw.mjs';

const stack = useStack({ edges: 2, outbox: true, audit: 1, env: { WW_LOG_LEVEL: 'debug' } });

/* ---- the marks ---- */

const WORD = `Marzipan${randomBytes(6).toString('hex')}`;
const PASSWORD = `Hunter${randomBytes(6).toString('hex')}`;
const AMOUNT = '987654.32';
const CARD = withLuhn('455673758689985');

// A card number, by the digit that its sum asks for.
function withLuhn(digits) {
  const sum = [...digits].reverse().reduce((total, digit, i) => total + (i % 2 ? Number(digit) : [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][digit]), 0);
  return digits + ((10 - (sum % 10)) % 10);
}

const marks = new Map();
const mark = (what, text) => {
  marks.set(text, what);
  return text;
};

mark('a text', WORD);
mark('a text', Buffer.from(WORD).toString('hex'));
mark('a text', Buffer.from(`..${WORD}`).toString('base64').slice(4, -4));
mark('a password', PASSWORD);
for (const form of [AMOUNT, AMOUNT.replace('.', ''), AMOUNT.replace('.', ',')]) mark('an amount', form);
for (const by of ['', ' ', '-']) mark('a card number', CARD.match(/.{4}/g).join(by));

// Every part that is of use to whoever finds it.
function marked(token) {
  token.split('.').slice(1).forEach((part) => part && mark('a token', part));
  return token;
}

const text = () => `${WORD} ${CARD.match(/.{4}/g).join(' ')} ${CARD} costs ${AMOUNT}`;

/* ---- where marks may not be ---- */

async function outputs() {
  const files = readdirSync(join(stack.dir, 'log')).map((file) => [file, readFileSync(join(stack.dir, 'log', file), 'latin1')]);
  const { edges, services } = stack.status();
  const metrics = await Promise.all([...edges, ...services].map(async ({ id, name, admin }) => [`metrics of ${id ?? name}`, (await request(`${admin}/metrics`)).body]));
  const pids = readdirSync(join(stack.dir, 'pid')).map((file) => [file, readFileSync(join(stack.dir, 'pid', file), 'utf8').split(' ')[0]]);
  const commands = pids.filter(([, pid]) => existsSync(`/proc/${pid}/cmdline`)).map(([file, pid]) => [`arguments of ${file}`, readFileSync(`/proc/${pid}/cmdline`, 'latin1')]);
  return [...files, ...metrics, ...commands];
}

async function leaks() {
  const found = [];
  for (const [name, output] of await outputs()) {
    for (const [secret, what] of marks) {
      const at = output.indexOf(secret);
      if (at >= 0) found.push(`${what} in ${name}: ${output.slice(output.lastIndexOf('\n', at) + 1, at + secret.length + 40).split('\n')[0].slice(-400)}`);
    }
  }
  return found;
}

/* ---- the ways ---- */

async function signIn(user, options = {}) {
  const client = stack.client(stack.url(options.at ?? 0), { auth: { token: marked(stack.sign(user)) }, ...options });
  await client.connected();
  mark('a session id', client.socket.id);
  mark('a session id', client.socket.io.engine.id);
  const pid = /"pid":"([^"]+)"/.exec(client.packets[0])?.[1];
  if (pid) mark('a session id', pid);
  return client;
}

const money = { amount: AMOUNT, currency: 'EUR', message: text() };
const events = (n) => [
  { id: `b${n}`, userIds: ['alice'], balance: { walletId: 'w', available_balance: AMOUNT, pending_balance: AMOUNT, currency: 'EUR', version: n } },
  { id: `t${n}`, transaction: { transactionId: `t${n}`, type: 'p2p', status: 'completed', ...money, sender: { userId: 'alice', name: WORD }, recipient: { userId: 'bob', name: WORD } } },
  { id: `f${n}`, userIds: ['alice'], transfer: { transferId: `f${n}`, state: 'processing', progress: 40, version: 1, ...money } },
  ...['payment', 'deposit', 'withdrawal'].map((kind) => ({ id: `${kind}${n}`, userIds: ['alice'], [kind]: { referenceId: `${kind}${n}`, status: 'completed', ...money } })),
  { id: `s${n}`, userIds: ['alice'], security: { severity: 'high', message: text(), action: text() } },
  { id: `l${n}`, userIds: ['alice'], limit: { limit: 'card', period: 'daily', used: AMOUNT, max: AMOUNT, currency: 'EUR', message: text() } },
  { id: `c${n}`, userIds: ['alice'], card: { cardId: 'c', last4: '4242', type: 'purchase', merchant: WORD, ...money } },
  { id: `a${n}`, title: WORD, text: text(), announcement: {} },
  { id: `k${n}`, userIds: ['alice'], kyc: { status: 'approved', level: `last-${n}`, message: text() } },
];

const lastOf = (n) => (data) => data.level === `last-${n}`;

stack.test('what works: every kind of event, chat and questions, on every transport', async () => {
  for (const [n, options] of [{ at: 'http' }, { at: 'https', ca: stack.certificate() }, { at: 1, transports: ['polling'] }, { transports: ['polling', 'websocket'] }].entries()) {
    const alice = await signIn('alice', options);
    await stack.publish(events(n + 1));
    await alice.waitFor('kyc:update', lastOf(n + 1));
    const { roomId, seq, ok } = await alice.ask('chat:send', { recipientId: 'bob', text: text(), clientId: `m${n}` });
    assert.equal(ok, true);
    for (const [event, payload] of [['chat:edit', { roomId, seq, text: text() }], ['chat:history', { roomId }], ['chat:create', { type: 'group', name: WORD, members: ['bob'] }], ['notifications:list', { limit: 50 }]]) {
      assert.equal((await alice.ask(event, payload)).ok, true, event);
    }
    const bob = await signIn('bob');
    assert.equal((await bob.ask('chat:report', { roomId, seq, reason: text() })).ok, true);
    assert.equal((await bob.ask('auth:refresh', { token: marked(stack.sign('bob')) })).ok, true);
  }
  const { code, stderr } = await stack.ww(['revoke', '--user', 'nobody', '--reason', WORD, '--by', 'an operator']);
  assert.equal(code, 0, stderr);
});

// Bytes to a port as they are; resolves when the other side has hung up, or has answered.
const throwAt = (url, bytes) =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes));
    const done = () => {
      socket.destroy();
      resolve();
    };
    socket.on('error', done).on('close', done).on('data', done).setTimeout(3000, done);
  });

stack.test('what a client does wrong: tokens, queries, heads, bodies, packets and events', async () => {
  const forged = () => marked(`${stack.sign('alice').slice(0, -4)}AAAA`);
  for (const at of [0, 'http']) {
    const url = stack.url(at);
    for (const token of [forged(), marked(stack.sign('alice', { exp: 1, iat: 0 })), marked(stack.sign(WORD.repeat(20))), `${WORD}.${WORD}.${WORD}`]) await stack.client(url, { auth: { token } }).refused();
    await stack.client(url, { auth: { token: marked(stack.sign('alice')) }, query: { token: marked(stack.sign('alice')) } }).refused();
    const { host } = new URL(url);
    const token = marked(stack.sign('alice'));
    const head = `Host: ${host}\r\nAuthorization: Bearer ${token}\r\nCookie: token=${token}\r\n`;
    await throwAt(url, `GET /socket.io/?EIO=4&transport=polling&token=${token} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
    await throwAt(url, `GET /nothing?token=${token}&text=${WORD} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
    await throwAt(url, `GET /socket.io/?token=${token} HTTP/9.9\r\n${head}\r\n`);
    await throwAt(url, `${WORD} ${token}\r\n\r\n`);
    await throwAt(url, `GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n${head}${WORD}\r\n\r\n`);
    await throwAt(url, `POST /socket.io/?EIO=4&transport=polling&sid=${WORD} HTTP/1.1\r\n${head}Content-Length: 5x\r\n\r\n${WORD}`);
    await throwAt(url, `POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n${head}Content-Length: ${WORD.length}\r\nConnection: close\r\n\r\n${WORD}`);
    for (const packet of [`40{"token":"${WORD}`, `40${JSON.stringify({ token: forged(), more: text() })}`, `40/${WORD},{}`, `42["${WORD}",{"text":"${text()}"`, `451-["chat:send",{"text":"${WORD}","_placeholder":true}]`, `9${WORD}`, WORD, Buffer.from([0x81, 0x05, 1, 2]).toString('latin1')]) {
      const socket = await RawSocket.upgrade(url);
      mark('a session id', JSON.parse(socket.texts[0].slice(1)).sid);
      socket.sendText(packet);
      socket.sendText(`40${JSON.stringify({ token: marked(stack.sign('alice')) })}`);
      socket.sendText(`42["${WORD}","${WORD}"]`);
      socket.send(Buffer.from(WORD)); // no frame, which ends it
      await socket.ended();
    }
  }
  const client = await signIn('carol');
  for (const [event, payload] of [['chat:send', { roomId: WORD, text: 7 }], ['chat:send', { recipientId: 'bob', text: `${text()}\u0007`, clientId: 'x' }], ['chat:send', { recipientId: 'bob', text: text(), clientId: '<>' }], ['chat:send', text()], [WORD, { text: text() }], ['notifications:list', { before: WORD, types: [WORD], [WORD]: AMOUNT }],
    ['notifications:read', { ids: [WORD] }], ['transfer:track', { transferId: WORD }], ['subscribe', { channel: WORD }], ['auth:refresh', { token: forged() }], ['balance:get', { walletId: WORD }], ['chat:create', { type: WORD, name: text(), members: [WORD] }]]) {
    const answer = await client.ask(event, payload);
    assert.equal(typeof answer.ok, 'boolean', event);
  }
});

const passwordOf = (user) => readFileSync(join(stack.dir, 'secrets', 'nats', user), 'utf8').trim();

stack.test('what back ends and services do wrong: events, requests and doorbells that are none', async () => {
  const url = stack.wwEnv.WW_NATS_URL;
  const letters = async () => (await stack.ww(['dlq', 'list', '--json'])).stdout.split('\n').length;
  const before = await letters();
  const garbage = [text(), `\n\x08${WORD}`, JSON.stringify({ kyc: { message: text() } }), `\x92\x01\x7f${WORD}`];
  for (const [user, subjects] of Object.entries({
    backend: ['ww.event.kyc', 'ww.event.payment', 'ww.backend.notifications.revoke', 'ww.backend.chat.erase'],
    chat: ['ww.event.chat', 'ww.rt.room.r1'],
    edge: ['ww.svc.notifications.list', 'ww.svc.chat.send', 'ww.svc.presence.get', 'ww.edge.edge-1.poll', 'ww.edge.edge-2.answer', 'ww.presence.report.edge-1', '$KV.ww_tracking.key', '$KV.ww_edges.key', 'ww.event.kyc'],
    notifications: ['ww.rt.user.alice', 'ww.rt.all', '$KV.ww_revoked.user.x'],
    presence: ['ww.rt.presence.edge-1', 'ww.presence.changed'],
    ops: ['ww.edge.edge-1.stats', 'ww.backend.presence.friends'],
  })) {
    const wire = await NatsWire.open(url, { user, pass: passwordOf(user) });
    for (const subject of subjects) for (const bytes of garbage) await wire.publish(subject, bytes, `_INBOX.${user}.x`);
    wire.close();
  }
  await until('the letters are dead', async () => (await letters()) >= before + 12, 30_000);
  for (const event of events(90)) await stack.ww(['publish', '--json', '-'], { input: `${JSON.stringify(event).replaceAll(AMOUNT, `${AMOUNT}7x`)}\n` });
});

stack.test('what is refused at sign-in: passwords that are wrong', async () => {
  const url = stack.wwEnv.WW_NATS_URL;
  for (const connect of [{ user: 'edge', pass: PASSWORD }, { auth_token: PASSWORD }, { jwt: marked(stack.sign('edge')), sig: PASSWORD }]) (await NatsWire.open(url, connect)).close();
  await throwAt(url, `CONNECT {"user":"edge","pass":"${PASSWORD}"\r\nPING\r\n`);
  const { port } = new URL(readFileSync(join(stack.dir, 'secrets', 'postgres', 'chat.url'), 'utf8').trim());
  for (const role of ['chat', 'postgres', 'nobody']) await run('psql', ['-Xw', '-h', '127.0.0.1', '-p', port, '-U', role, '-d', 'walletwire', '-c', 'SELECT 1'], { env: { PGPASSWORD: PASSWORD } });
});

// A constraint that nothing meets: PostgreSQL would write the row that failed, and the statement, into its log.
const blocked = async (table, during) => {
  await stack.psqlAdmin(`ALTER TABLE ${table} ADD CONSTRAINT planted CHECK (false) NOT VALID`);
  try {
    return await during();
  } finally {
    await stack.psqlAdmin(`ALTER TABLE ${table} DROP CONSTRAINT planted`);
  }
};

const errors = (name) => stack.log(name).split('\n').filter((line) => line.includes('ERROR:')).length;

stack.test('what PostgreSQL refuses: rows and statements that hold texts and amounts', async () => {
  const alice = await signIn('alice');
  let before = errors('postgres');
  await blocked('chat.messages', async () => assert.equal((await alice.ask('chat:send', { recipientId: 'bob', text: text(), clientId: 'blocked' })).ok, false));
  await until('PostgreSQL said so', () => errors('postgres') > before);
  for (const [i, table] of ['notifications.inbox', 'notifications.bodies', 'notifications.balances', 'notifications.announcements'].entries()) {
    before = errors('postgres');
    await blocked(table, async () => {
      await stack.publish(events(20 + i));
      await until(`${table} refused it`, () => errors('postgres') > before);
    });
  }
  before = errors('postgres');
  await assert.rejects(stack.psql('wallet', '-c', `INSERT INTO walletwire_outbox.events (key, type, event) VALUES ('w', '${WORD}', '{"${AMOUNT}": ')`));
  await assert.rejects(stack.psqlAdmin(`ALTER ROLE nobody PASSWORD '${PASSWORD}'`));
  await until('it refused statements too', () => errors('postgres') >= before + 2);
});

stack.test('nothing of it is in a log, a metric or a list of processes, and a leak would be found', async (t) => {
  for (const dir of ['secrets', 'secrets/nats', 'secrets/postgres', 'keys']) {
    for (const entry of readdirSync(join(stack.dir, dir), { withFileTypes: true })) {
      if (entry.isFile() && !entry.name.endsWith('.url') && entry.name !== 'pgpass') mark('a key or password', readFileSync(join(stack.dir, dir, entry.name), 'latin1').trim());
    }
  }
  const names = (await outputs()).map(([name]) => name);
  for (const name of ['edge-1.log', 'edge-2.log', 'notifications.log', 'chat.log', 'presence.log', 'audit.log', 'outbox.log', 'nats.log', 'postgres.log', 'haproxy.log']) assert.ok(names.includes(name), `${name}: ${names}`);
  for (const service of ['notifications', 'chat']) assert.match(stack.log(service), /"level":"debug".*: asked \{/);
  assert.match(stack.log('chat'), /asked \{[^}]*\}[^}]*\\"text\\":\\"\*\*\*\\"/);
  assert.deepEqual(await leaks(), []);
  const planted = join(stack.dir, 'log', 'planted.log');
  for (const [secret, what] of marks) appendFileSync(planted, `{"msg":"${what} is ${secret}, and so on"}\n`);
  const found = await leaks();
  rmSync(planted);
  assert.ok(found.length >= marks.size, `${found.length} of ${marks.size} planted leaks are found`);
  assert.ok(found.every((leak) => leak.includes('planted.log')));
  t.diagnostic(`${marks.size} marks in none of ${names.length} outputs; each was found where it was planted`);
});
