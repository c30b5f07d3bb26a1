// What people were told and did is in the audit record, whatever dies on the way, and the record can be verified.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { PRESET, ROOT, until, useStack } from './harness.mjs';

const EVENTS = 300;

const stack = useStack({ edges: 1, audit: 2 });

const payment = (user, n) => ({
  id: `${user}-${n}`,
  userIds: [user],
  payment: { status: 'completed', amount: `${n}.00`, currency: 'EUR', message: 'secret words' },
});

async function lines(...args) {
  const { code, stdout, stderr } = await stack.ww(['audit', ...args]);
  assert.equal(code, 0, stderr);
  return stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

const whoWasTold = (user) => lines('who-was-told', '--user', user, '--json');

// Records are on their way: the answer once it is good.
const answered = (ask, good) =>
  until('the record', async () => {
    const answer = await ask();
    return good(answer) && answer;
  }, 30_000);

async function verify() {
  const { code, stdout, stderr } = await stack.ww(['audit', 'verify']);
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}

stack.test('which device has seen and read an item is known', async () => {
  const phone = await stack.connect('alice');
  const laptop = await stack.connect('alice');
  await stack.publish([payment('alice', 1), payment('alice', 2)]);
  await phone.waitUntil('two items', () => phone.items().length === 2);
  assert.ok((await phone.ask('notifications:seen', { upTo: 2 })).ok);
  assert.ok((await laptop.ask('notifications:read', { ids: ['alice-1'] })).ok);
  const told = await answered(() => whoWasTold('alice'), (all) => all.length === 2 && all[0].readAt && all[1].seenAt);
  assert.deepEqual(told.map((item) => item.eventKey), ['payment/alice-1', 'payment/alice-2']);
  assert.deepEqual(told.map((item) => item.seq), [1, 2]);
  assert.equal(told[1].readAt, undefined);
  assert.notEqual(told[0].seenSessionId, '');
  assert.notEqual(told[0].seenSessionId, told[0].readSessionId);
});

stack.test(`${EVENTS} events while whoever records dies: each is in the record once`, async () => {
  await stack.publish(Array.from({ length: EVENTS }, (_, n) => payment('bob', n)));
  for (const victim of ['audit', 'notifications', 'audit-2', 'nats', 'audit']) await stack.kill(victim);
  const told = await answered(() => whoWasTold('bob'), (all) => all.length >= EVENTS);
  assert.equal(told.length, EVENTS);
  assert.deepEqual(new Set(told.map((item) => item.seq)).size, EVENTS);
  assert.match(await verify(), /shard 0: consistent/);
  const records = await lines('export', '--since', '1h');
  assert.equal(records.filter(({ record }) => record.action === 'audit_gap').length, 0);
  assert.ok(!JSON.stringify(records).includes('secret'), 'no text is in a record');
});

stack.test('the signing key is changed while events come, and the record is verified by both', async () => {
  const next = join(stack.dir, 'secrets', 'next.pem');
  const { code, stdout, stderr } = await stack.ww(['audit', 'key', '--make', next]);
  assert.equal(code, 0, stderr);
  const coming = stack.publish(Array.from({ length: 50 }, (_, n) => payment('rita', n)));
  appendFileSync(join(stack.dir, 'audit', 'key.pem'), stdout);
  renameSync(next, join(stack.dir, 'secrets', 'audit.pem'));
  for (const replica of ['audit', 'audit-2']) await stack.kill(replica, 'SIGTERM');
  await coming;
  await answered(() => whoWasTold('rita'), (all) => all.length === 50);
  await answered(() => lines('export', '--since', '1h'), (records) => records.some(({ record }) => record.action === 'audit_key_changed'));
  assert.match(await verify(), /shard 0: consistent/);
});

stack.test('neither ww-audit nor an auditor can take a row away', async () => {
  const admin = ['-c', 'SET session_replication_role = replica', '-c', 'DELETE FROM audit.records WHERE number = 2'];
  await assert.rejects(stack.psql('audit', ...admin), /permission denied/);
  await assert.rejects(stack.psql('auditor', '-c', 'DELETE FROM audit.records'), /permission denied/);
  await verify();
});

stack.test('records are followed as they are stored, until Ctrl-C', async () => {
  const child = spawn(join(ROOT, 'build', PRESET, 'bin', 'ww'), ['audit', 'tail', '--by', 'olga'], { env: { ...process.env, ...stack.wwEnv } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  try {
    await until('it follows', () => stderr.includes('following'));
    await stack.publish([payment('tailed', 1)]);
    const seen = () => stdout.split('\n').filter((line) => line.endsWith('}')).map((line) => JSON.parse(line));
    await until('it is shown', () => seen().some(({ record }) => record.eventKey === 'payment/tailed-1'), 30_000);
    assert.ok(!seen().some(({ record }) => record.eventKey === 'payment/bob-0'), 'nothing of before');
  } finally {
    child.kill('SIGINT');
  }
  assert.equal(await ended, 0, stderr);
  const looked = ({ record }) => record.action === 'audit_exported' && record.service === 'ops' && record.actor.id === 'olga';
  await answered(() => lines('export', '--since', '1h'), (records) => records.some(looked));
});

stack.test('following ends when nobody reads any more', async () => {
  const child = spawn(join(ROOT, 'build', PRESET, 'bin', 'ww'), ['audit', 'tail', '--by', 'olga'], { env: { ...process.env, ...stack.wwEnv } });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    await until('it follows', () => stderr.includes('following'));
    child.stdout.destroy();
    await stack.publish([payment('unread', 1)]);
    await until('it ends', () => child.exitCode !== null, 30_000);
  } finally {
    child.kill('SIGKILL');
  }
  assert.equal(await ended, 0, stderr);
});

// An edge has nobody's word but its own for it, and no table: it tells the stream at once.
stack.test('who connected, who was refused and what was denied is in the record', async () => {
  const carol = await stack.connect('carol');
  assert.equal((await carol.ask('subscribe', { channel: 'user:alice' })).error.code, 'forbidden');
  const stranger = stack.client(stack.url(0), { auth: { token: `${await stack.token('dave')}x` } });
  await stranger.refused();
  const wanted = ['edge_connected', 'edge_denied', 'edge_refused'];
  const ofEdges = async () => (await lines('export', '--since', '1h')).map(({ record }) => record).filter(({ service }) => service === 'edge');
  const all = await answered(ofEdges, (records) => wanted.every((action) => records.some((record) => record.action === action)));
  const { actor } = all.find((record) => record.action === 'edge_connected' && record.actor.id === 'carol');
  assert.equal(actor.kind, 'user');
  const denied = all.find((record) => record.action === 'edge_denied');
  assert.deepEqual(denied.actor, actor);
  assert.deepEqual(denied.ids.slice(1), ['subscribe', 'user:alice']);

  // By a service: to whom, and to what.
  const room = await (await stack.connect('alice')).ask('chat:create', { type: 'group', name: 'of alice', members: ['erin'] });
  await stack.publish([{ userIds: ['alice', 'erin'], transfer: { transferId: 'of-alice', state: 'processing', progress: 10, amount: '1.00', currency: 'EUR' } }]);
  await (await stack.connect('erin')).ask('transfer:track', { transferId: 'of-alice' });
  const attempts = [
    ['chat:history', { roomId: room.room.id }, room.room.id],
    ['chat:send', { roomId: room.room.id, text: 'let me in', clientId: 'c1' }, room.room.id],
    ['transfer:track', { transferId: 'of-alice' }, 'of-alice'],
  ];
  for (const [event, payload] of attempts) {
    await until(`${event} is denied`, async () => (await carol.ask(event, payload)).error?.code === 'forbidden');
  }
  for (const [event, , about] of attempts) {
    const isIt = ({ action, actor: by, ids }) => action === 'edge_denied' && by.id === 'carol' && ids[1] === event && ids[2] === about;
    await answered(ofEdges, (records) => records.some(isIt));
  }

  const refused = all.find((record) => record.action === 'edge_refused');
  assert.deepEqual(refused.ids.slice(1), ['token_signature']);
  assert.deepEqual(refused.users, []);
  await verify();
});
