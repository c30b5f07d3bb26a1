// Least privilege, pair by pair: what no service needs, its NATS user and its PostgreSQL role are refused.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ROOT, run, until, useStack } from './harness.mjs';
import { ANSWERS, API, API_RIGHTS, ARROWS, STREAMS, subjectsOf, USERS, WIDE } from './natsrights.mjs';
import { NatsWire } from './natswire.mjs';
import { forbidden, OWN, ROLES } from './sqlrights.mjs';

const stack = useStack({ edges: 1, outbox: true }, startNats);

/* ---- a nats-server with the configuration of a deployment, where what is allowed may be tried as well ---- */

const nats = { dir: mkdtempSync(join(tmpdir(), 'ww-rights-')) };
after(stopNats);

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function startNats() {
  const port = await freePort();
  nats.url = `nats://127.0.0.1:${port}`;
  const conf = await stack.ww(['nats-config', '--port', String(port), '--store-dir', nats.dir, '--passwords-dir', join(stack.dir, 'secrets', 'nats')]);
  assert.equal(conf.code, 0, conf.stderr);
  writeFileSync(join(nats.dir, 'nats.conf'), conf.stdout, { mode: 0o600 });
  nats.process = spawn('nats-server', ['-c', join(nats.dir, 'nats.conf'), '-l', join(nats.dir, 'log')], { stdio: 'ignore' });
  nats.ended = new Promise((resolve) => nats.process.once('exit', resolve));
  await until('nats-server listens', () => canConnect(port));
  const { code, stderr } = await stack.ww(['provision'], { env: { WW_NATS_URL: nats.url } });
  assert.equal(code, 0, stderr);
}

async function stopNats() {
  nats.process?.kill('SIGTERM');
  await nats.ended;
  rmSync(nats.dir, { recursive: true, force: true });
}

const canConnect = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

const passwordOf = (user) => readFileSync(join(stack.dir, 'secrets', 'nats', user), 'utf8').trim();

async function as(user, during) {
  const wire = await NatsWire.open(nats.url, { user, pass: passwordOf(user) });
  try {
    assert.deepEqual(wire.refusals, [], user);
    return await during(wire);
  } finally {
    wire.close();
  }
}

/* ---- NATS ---- */

const sorted = (names) => [...names].sort();

stack.test('the arrows of docs/architecture.md are the rows of docs/subjects.md', () => {
  const rows = readFileSync(join(ROOT, 'docs', 'subjects.md'), 'utf8').matchAll(/^\| `(ww\.[^`]+)` \|[^|]*\|[^|]*\| ([a-z ]+) \| ([a-z ]+) \|$/gm);
  const documented = [...rows].map(([, pattern, from, to]) => [pattern, sorted(from.split(' ')), sorted(to.split(' '))]);
  const drawn = ARROWS.filter(({ pattern }) => pattern).map(({ pattern, from, to, row }) => [pattern, sorted(row?.from ?? from), sorted(row?.to ?? to)]);
  assert.deepEqual(sorted(documented), sorted(drawn));
});

// Every subject, and who may publish it and subscribe to it.
function expectations() {
  const all = ARROWS.flatMap((arrow) => subjectsOf(arrow).map((subject) => ({ subject, from: arrow.from, to: arrow.stored ? [] : arrow.to })));
  for (const asker of USERS) all.push({ subject: `_INBOX.${asker}.x`, from: USERS.filter((user) => ANSWERS[user].includes(asker)), to: [asker] }, { subject: `_INBOX.${asker}.>`, to: [asker] });
  for (const [subject, to] of Object.entries(WIDE)) all.push({ subject, to });
  for (const subject of API) all.push({ subject, from: USERS.filter((user) => API_RIGHTS[user].includes(subject)), to: [] });
  return all;
}

async function tryAll(user, wire) {
  const breaches = [];
  const counts = { forbidden: 0, allowed: 0 };
  const judge = async (verb, subject, mayBe, said) => {
    const errors = await said;
    counts[mayBe ? 'allowed' : 'forbidden']++;
    const refused = errors.length === 1 && errors[0].startsWith(`'Permissions Violation for ${verb}`);
    if (mayBe ? errors.length > 0 : !refused) breaches.push(`${user} ${verb} ${subject}: ${errors.join() || 'taken'}`);
  };
  const tries = expectations().flatMap(({ subject, from, to }) => [
    ...(from ? [judge('Publish', subject, from.includes(user), wire.publish(subject))] : []),
    judge('Subscription', subject, to.includes(user), wire.subscribe(subject)),
    judge('Subscription', subject, to.includes(user), wire.subscribe(subject, 'q')),
  ]);
  await Promise.all(tries);
  return { breaches, counts };
}

const streamsNow = () =>
  as('ops', async (wire) => {
    const infos = [];
    for (const name of STREAMS) {
      const { config, state, error } = await wire.ask('_INBOX.ops', `$JS.API.STREAM.INFO.${name}`);
      assert.ok(config, `${name}: ${JSON.stringify(error)}`);
      infos.push({ name, config, messages: state.messages, consumers: state.consumer_count });
    }
    return infos;
  });

stack.test('every pair of NATS user and subject is as the arrows say, and what streams hold outlives all attempts', async (t) => {
  const seeds = { notifications: ['ww.dlq.event', 'ww.audit.notifications', '$KV.ww_revoked.seed'], backend: ['ww.event.kyc'], audit: ['ww.heads.audit'], edge: ['$KV.ww_tracking.seed', '$KV.ww_edges.seed'] };
  for (const [user, subjects] of Object.entries(seeds)) await as(user, (wire) => Promise.all(subjects.map((subject) => wire.publish(subject, 'seed'))));
  const before = await streamsNow();
  assert.ok(before.every(({ messages }) => messages > 0), JSON.stringify(before));
  const breaches = [];
  const total = { forbidden: 0, allowed: 0 };
  for (const user of USERS) {
    const tried = await as(user, (wire) => tryAll(user, wire));
    breaches.push(...tried.breaches);
    for (const kind of Object.keys(total)) total[kind] += tried.counts[kind];
  }
  assert.deepEqual(breaches, []);
  // Leases end by themselves, and some of the attempts were allowed to add one.
  const now = await streamsNow();
  for (const [i, { name, config, messages }] of before.entries()) {
    assert.deepEqual(now[i].config, config, name);
    if (name !== 'KV_ww_edges') assert.ok(now[i].messages >= messages, name);
  }
  t.diagnostic(`NATS: ${total.forbidden} forbidden pairs refused, ${total.allowed} allowed ones taken`);
});

stack.test('nobody signs in without a name and its password', async () => {
  const strangers = [{}, { user: '' }, { user: 'edge' }, { user: 'edge', pass: '' }, { user: 'edge', pass: 'edge' }, { user: 'sys', pass: '' }, { user: 'SYS', pass: '' }, { user: '$SYS', pass: '' }, { user: 'admin', pass: 'admin' }, { user: 'nobody', pass: passwordOf('edge') }];
  strangers.push({ auth_token: passwordOf('edge') }, { jwt: 'eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ.e30.x', sig: 'x' }, { nkey: 'UAAA', sig: 'x' }, { user: passwordOf('edge') }, { user: 'edge', pass: passwordOf('ops') });
  for (const stranger of strangers) {
    const wire = await NatsWire.open(nats.url, stranger);
    assert.ok(wire.refusals.some((error) => error.includes('Authorization Violation')), `${Object.keys(stranger)}: ${wire.refusals}`);
    await until('the server has hung up', () => wire.isEnded);
    wire.close();
  }
});

stack.test('whoever says nothing but PING is not answered', async () => {
  const wire = new NatsWire(nats.url);
  const errors = await wire.say('SUB > 1');
  assert.ok(errors.some((error) => error.includes('Authorization')), errors.join());
  wire.close();
});

// Whoever may make a consumer may let the server deliver to any subject (nats-server 2.9 asks for no right to publish
// there), which here is what back ends ask ww-notifications. Only the subject of the message tells.
stack.test('what a consumer delivers where its maker may not publish is not listened to', async () => {
  const victim = await stack.connect('victim');
  const other = await stack.connect('other');
  const url = stack.wwEnv.WW_NATS_URL;
  const edge = await NatsWire.open(url, { user: 'edge', pass: passwordOf('edge') });
  const ops = await NatsWire.open(url, { user: 'ops', pass: passwordOf('ops') });
  const name = 'victim';
  await edge.publish('$KV.ww_tracking.forged', `\x12${String.fromCharCode(name.length)}${name}`); // RevokeRequest { user_id }
  const config = { deliver_subject: 'ww.backend.notifications.revoke', deliver_group: 'notifications', filter_subject: '$KV.ww_tracking.forged', deliver_policy: 'all', ack_policy: 'none' };
  const made = await edge.ask('_INBOX.edge', '$JS.API.CONSUMER.CREATE.KV_ww_tracking', JSON.stringify({ stream_name: 'KV_ww_tracking', config }));
  assert.equal(made.error, undefined, 'the server has nothing against it');
  await until('it was delivered', async () => (await ops.ask('_INBOX.ops', `$JS.API.CONSUMER.INFO.KV_ww_tracking.${made.name}`)).delivered.consumer_seq > 0);
  const { code, stderr } = await stack.ww(['revoke', '--user', 'other']);
  assert.equal(code, 0, stderr);
  await other.disconnected();
  assert.deepEqual(victim.disconnects, []);
  assert.equal((await victim.ask('notifications:unread')).ok, true);
  const { admin } = stack.status().services.find(({ name }) => name.startsWith('notifications'));
  assert.equal(await stack.metric(admin, 'ww_service_nats_strays_total'), 1, 'and that is counted');
  edge.close();
  ops.close();
});

/* ---- PostgreSQL ---- */

const postgresPort = () => new URL(readFileSync(join(stack.dir, 'secrets', 'postgres', 'chat.url'), 'utf8').trim()).port;

// Runs statements one by one, whatever they end in; resolves with their SQLSTATEs.
async function statesOf(role, statements) {
  const url = readFileSync(join(stack.dir, 'secrets', 'postgres', `${role}.url`), 'utf8').trim();
  const input = statements.map((sql) => `${sql};\n\\echo @ :SQLSTATE\n`).join('');
  const { stdout, stderr } = await run('psql', ['-XqAt', '-d', url], { input });
  const states = [...stdout.matchAll(/^@ (\w+)$/gm)].map(([, state]) => state);
  assert.equal(states.length, statements.length, stderr.slice(-2000));
  return states;
}

const relations = async () =>
  (await stack.psqlAdmin(`SELECT n.nspname || ' ' || c.relkind::text || ' ' || c.relname || ' ' || a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN LATERAL (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND attidentity = '' ORDER BY attnum LIMIT 1) a ON true WHERE c.relkind IN ('r', 'p', 'S') AND n.nspname !~ '^pg_|^information_schema$' ORDER BY 1`)).map((row) => {
    const [schema, kind, name, column] = row.split(' ');
    return { schema, name, column, isSequence: kind === 'S' };
  });

stack.test('the roles of PostgreSQL are those of the table, and none is more than a role', async () => {
  const roles = await stack.psqlAdmin("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname <> 'postgres' ORDER BY 1");
  assert.deepEqual(roles, sorted(ROLES));
  const mighty = await stack.psqlAdmin("SELECT rolname FROM pg_roles WHERE rolname !~ '^(postgres|pg_)' AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)");
  assert.deepEqual(mighty, []);
  const groups = await stack.psqlAdmin("SELECT m.member::regrole || ' ' || m.roleid::regrole FROM pg_auth_members m WHERE m.member::regrole::text !~ '^(pg_|postgres)' ORDER BY 1");
  assert.deepEqual(groups, ['audit walletwire_audit_writer', 'auditor walletwire_audit_reader', 'outbox walletwire_outbox_relay', 'wallet walletwire_outbox_writer']);
});

stack.test('every statement that a role does not need is refused', async (t) => {
  const all = await relations();
  assert.ok(all.length > 20, JSON.stringify(all));
  const breaches = [];
  let count = 0;
  for (const role of ROLES) {
    const statements = forbidden(role, all);
    const states = await statesOf(role, statements);
    count += statements.length;
    for (const [i, state] of states.entries()) if (state !== '42501') breaches.push(`${role}: ${statements[i]}: ${state}`);
  }
  assert.deepEqual(breaches, []);
  t.diagnostic(`PostgreSQL: ${count} forbidden statements refused to ${ROLES.length} roles over ${all.length} relations`);
});

stack.test('every role may do its own work', async () => {
  for (const role of ROLES) {
    const states = await statesOf(role, OWN[role]);
    assert.deepEqual(states, OWN[role].map(() => '00000'), role);
  }
});

stack.test('nobody signs in to PostgreSQL without a password, or to another database', async () => {
  const tryAs = (role, database, password) => run('psql', ['-XqAtw', '-h', '127.0.0.1', '-p', postgresPort(), '-U', role, '-d', database, '-c', 'SELECT 1'], { env: { PGPASSWORD: password, PGPASSFILE: '/dev/null' } });
  const secret = (role) => readFileSync(join(stack.dir, 'secrets', 'postgres', role), 'utf8').trim();
  for (const role of ['postgres', ...ROLES]) {
    for (const password of ['', role, 'postgres', secret(role === 'chat' ? 'presence' : 'chat')]) assert.notEqual((await tryAs(role, 'walletwire', password)).code, 0, role);
  }
  for (const role of ROLES) {
    assert.equal((await tryAs(role, 'walletwire', secret(role))).code, 0, role);
    for (const database of ['postgres', 'template1']) assert.notEqual((await tryAs(role, database, secret(role))).code, 0, `${role} at ${database}`);
  }
});
