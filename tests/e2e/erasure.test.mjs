// What is held about a person is written down and taken away: the sockets go, others keep what is theirs.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kyc, run, until, useStack } from './harness.mjs';

const stack = useStack({ edges: 1 }, refusePoison);

// The database refuses one event, so that it becomes a dead letter.
async function refusePoison() {
  const url = readFileSync(join(stack.dir, 'secrets/postgres/notifications.url'), 'utf8').trim();
  const sql = `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.event_id = 'poison' THEN RAISE EXCEPTION 'broken'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON notifications.inbox FOR EACH ROW EXECUTE FUNCTION refuse()`;
  const { code, stderr } = await run('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, '-c', sql]);
  assert.equal(code, 0, stderr);
}

const payment = (id) => ({ id, userIds: ['alice', 'bob'], payment: { amount: '1.00', currency: 'EUR' } });

async function jsonLines(...args) {
  const { code, stdout, stderr } = await stack.ww(args);
  assert.equal(code, 0, stderr);
  return stdout.split('\n').filter(Boolean).map(JSON.parse);
}

const letters = () => jsonLines('dlq', 'list', '--json', '--reveal');

stack.test('export, then erase: sockets close, the inbox is empty, others keep theirs', async () => {
  const token = await stack.token('alice');
  const alice = await stack.client(stack.url(0), { auth: { token } }).connected();
  const bob = await stack.connect('bob');
  assert.equal((await alice.ask('unsubscribe', { channel: 'balance:alice' })).ok, true);
  await stack.publish([kyc('alice', 1), payment('both'), payment('poison')]);
  await alice.waitFor('payment');
  await bob.waitFor('payment');
  await until('the letter', async () => (await letters()).length === 1);

  const held = await jsonLines('export', 'alice');
  assert.deepEqual(held.filter((line) => line.inbox).map((line) => line.inbox.notification.id), ['alice-1', 'both']);
  assert.deepEqual(held.filter((line) => line.tracking).map((line) => line.tracking.value.left), [['balance']]);
  assert.deepEqual(held.filter((line) => line.letter).map((line) => line.letter.event.id), ['poison']);

  const { code, stdout, stderr } = await stack.ww(['erase', 'alice', '--yes']);
  const second = Math.floor(Date.now() / 1000);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /inbox +2 +items removed/);
  await alice.disconnected();
  const refused = await stack.client(stack.url(0), { auth: { token } }).refused();
  assert.equal(refused.data.code, 'token_revoked');

  // Tokens are told apart by the second.
  await until('the next second', () => Math.floor(Date.now() / 1000) > second);
  const again = await stack.connect('alice');
  assert.equal((await again.waitFor('notifications:unread')).total, 0);
  assert.deepEqual((await again.ask('notifications:list')).items, []);
  assert.deepEqual(bob.disconnects, []);
  assert.equal((await bob.ask('notifications:unread')).total, 1);
  assert.deepEqual((await bob.ask('notifications:list')).items.map((item) => item.notification.id), ['both']);
  assert.deepEqual((await letters()).map((letter) => letter.event.userIds), [['bob']]);
  await stack.verify('alice');
  await stack.verify('bob');

  // Numbers go on where they were: what comes now is an inbox of its own.
  await stack.publish([kyc('alice', 2)]);
  assert.equal((await again.waitFor('kyc:update')).notification.seq, 3);
});
