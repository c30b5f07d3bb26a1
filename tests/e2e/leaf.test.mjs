// A leaf nats-server beside a program on another host: the link is mutual TLS, and all that crosses it is what the
// program's own NATS user may. The hub is the stack's server, and leaves run by the script of the image.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after } from 'node:test';
import { Authority } from './authority.mjs';
import { kyc, PRESET, request, ROOT, run, until, useStack } from './harness.mjs';
import { NatsWire } from './natswire.mjs';

const BIN = join(ROOT, 'build', PRESET, 'bin');
const NOTIFICATIONS = 2;

const started = [];
const ports = {};
const stack = useStack({ edges: 1, notifications: NOTIFICATIONS, env: { WW_SWEEP_INTERVAL: '2s' } }, async () => {
  await makeHub();
  await startLeaf('edge');
  await startEdge();
});
after(async () => {
  for (const child of started) child.kill('SIGTERM');
  await Promise.all(started.map((child) => child.exit));
});

const password = (user) => readFileSync(join(stack.dir, 'secrets', 'nats', user), 'utf8').trim();
const certificates = (name) => join(stack.dir, `tls-${name}`);

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// A folder as a mounted secret is one.
async function certify(name, signer, trusted = signer) {
  const { crt, key } = await signer.issue(name, 'DNS:localhost,IP:127.0.0.1');
  mkdirSync(certificates(name));
  copyFileSync(crt, join(certificates(name), 'tls.crt'));
  copyFileSync(key, join(certificates(name), 'tls.key'));
  copyFileSync(trusted.crt, join(certificates(name), 'ca.crt'));
}

// A program of the test's own, with its output in the stack's folder, where it is looked at for reports of sanitizers.
function start(name, command, args, env) {
  const log = openSync(join(stack.dir, 'log', `${name}.log`), 'a');
  const child = spawn(command, args, { env: { ...process.env, PATH: `${BIN}:${process.env.PATH}`, ...env }, stdio: ['ignore', log, log] });
  closeSync(log);
  child.exit = new Promise((resolve) => child.once('exit', resolve));
  started.push(child);
  return child;
}

// The stack's own server, configured anew on its port.
async function makeHub() {
  const authority = await Authority.make(join(stack.dir, 'authority'));
  const stranger = await Authority.make(join(stack.dir, 'stranger'));
  for (const name of ['hub', 'edge', 'notifications']) await certify(name, authority);
  await certify('stranger', stranger, authority);
  await certify('credulous', authority, stranger);
  ports.hub = await freePort();
  const { code, stdout, stderr } = await stack.ww([
    'nats-config', '--port', new URL(stack.status().nats).port, '--store-dir', join(stack.dir, 'nats'),
    '--passwords-dir', join(stack.dir, 'secrets', 'nats'), '--leaf-port', String(ports.hub), '--tls-dir', certificates('hub'),
  ]);
  assert.equal(code, 0, stderr);
  writeFileSync(join(stack.dir, 'nats.conf'), stdout);
  await stack.kill('nats', 'SIGTERM');
  await stack.waitReady(stack.edge(0).id);
}

// As deploy/image/nats.sh is run beside a program; `tls`: whose certificates it has.
async function startLeaf(user, { name = user, tls = user } = {}) {
  const config = join(stack.dir, `leaf-${name}`);
  mkdirSync(join(config, 'passwords'), { recursive: true });
  writeFileSync(join(config, 'passwords', user), password(user));
  ports[name] = await freePort();
  return start(`leaf-${name}`, 'bash', [join(ROOT, 'deploy/image/nats.sh')], {
    WW_NATS_CONFIG_DIR: config, WW_NATS_PASSWORDS_DIR: join(config, 'passwords'), WW_SERVER_NAME: `leaf-${name}`, WW_NATS_PORT: String(ports[name]),
    WW_NATS_MONITOR_PORT: '0', WW_NATS_LEAF: user, WW_NATS_HUB: `localhost:${ports.hub}`, WW_NATS_TLS_DIR: certificates(tls),
  });
}

// A program of ours that knows the leaf and nothing else of NATS.
async function startProgram(program, user, env) {
  const admin = await freePort();
  start(program, join(BIN, program), [], {
    WW_NATS_URL: `nats://127.0.0.1:${ports[user]}`, WW_NATS_USER: user, WW_NATS_PASSWORD: password(user), WW_ADMIN: `127.0.0.1:${admin}`, ...env,
  });
  await until(`${program} is ready behind a leaf`, async () => (await request(`http://127.0.0.1:${admin}/readyz`).catch(() => ({}))).status === 200);
  return `http://127.0.0.1:${admin}`;
}

async function startEdge() {
  ports.listen = await freePort();
  await startProgram('ww-edge', 'edge', {
    WW_LISTEN: `127.0.0.1:${ports.listen}`, WW_EDGE_ID: 'behind-a-leaf', WW_KEYS_DIR: join(stack.dir, 'keys'),
    WW_RECOVERY_KEY_FILE: join(stack.dir, 'secrets', 'recovery'), WW_SWEEP_INTERVAL: '2s', WW_DRAIN_TIME: '500ms',
  });
}

const behind = () => `http://127.0.0.1:${ports.listen}`;
const connect = (user, options = {}) => stack.connect(user, { at: behind(), ...options });

stack.test('an edge behind a leaf is ready, and its clients are told and answered as those of any other', async () => {
  const alice = await connect('alice');
  const bob = await stack.connect('bob', { at: 0 });
  await stack.publish(Array.from({ length: 50 }, (_, n) => kyc('alice', n)));
  await alice.waitFor('kyc:update', ({ level }) => level === '49');
  assert.deepEqual(alice.payloads('kyc:update').map(({ level }) => Number(level)), Array.from({ length: 50 }, (_, n) => n));
  assert.equal((await alice.ask('notifications:list', { limit: 100 })).items.length, 50);

  const room = await alice.ask('chat:create', { type: 'group', name: 'across', members: ['bob'] });
  assert.equal(room.ok, true, JSON.stringify(room));
  assert.equal((await bob.ask('chat:send', { roomId: room.room.id, text: 'hello', clientId: 'c1' })).ok, true);
  await alice.waitFor('chat:message', ({ text }) => text === 'hello');

  const { code } = await stack.ww(['friends', 'add', 'alice', 'bob']);
  assert.equal(code, 0);
  // As a change or within the list of all friends, which may overtake it.
  await until('bob is shown alice', () =>
    [...bob.payloads('presence:update'), ...bob.payloads('presence:friends').flatMap(({ users }) => users)].some(
      ({ userId, status }) => userId === 'alice' && status === 'online',
    ),
  );
  const { stdout } = await stack.ww(['stats', '--json']);
  assert.match(stdout, /behind-a-leaf/, 'its lease is in the bucket and it answers operators');
});

stack.test('a revocation reaches it', async () => {
  const mallory = await connect('mallory');
  assert.equal((await stack.ww(['revoke', '--user', 'mallory'])).code, 0);
  await mallory.disconnected();
});

stack.test('while the hub is away its clients stay, and what was published comes when the link is back', async () => {
  const carol = await connect('carol');
  await stack.kill('nats');
  await stack.publish([kyc('carol', 1)]);
  await carol.waitFor('kyc:update', ({ level }) => level === '1');
  await stack.verify('carol');
});

stack.test('events are applied behind a leaf: a consumer pulls and acknowledges across it', async () => {
  await startLeaf('notifications');
  const admin = await startProgram('ww-notifications', 'notifications', {
    WW_DATABASE_URL_FILE: join(stack.dir, 'secrets', 'postgres', 'notifications.url'), WW_INSTANCE: 'behind-a-leaf',
  });
  const names = stack.status().services.map(({ name }) => name).filter((name) => name.startsWith('notifications'));
  assert.equal(names.length, NOTIFICATIONS);
  const dave = await connect('dave');
  const alone = names.reduceRight((inner, name) => () => stack.away(name, inner), async () => {
    await stack.publish(Array.from({ length: 200 }, (_, n) => kyc('dave', n)));
    await dave.waitFor('kyc:update', ({ level }) => level === '199');
    assert.ok((await stack.metric(admin, 'ww_notifications_events_total')) >= 200);
    assert.equal((await dave.ask('notifications:list', { limit: 1 })).ok, true);
  });
  await alone();
  assert.equal((await stack.verify('dave')).length ?? 1, 1);
  await stack.assertNoDeadLetters();
});

stack.test('the hub gives a leaf the rights of its user and no others, whatever the leaf itself would allow', async () => {
  const config = join(stack.dir, 'leaf-lax');
  const links = readFileSync(join(stack.dir, 'leaf-edge', 'nats.conf'), 'utf8').match(/default_js_domain[^]*$/)[0];
  mkdirSync(config);
  ports.lax = await freePort();
  writeFileSync(join(config, 'nats.conf'), `host: 127.0.0.1\nport: ${ports.lax}\naccounts { APP: { users: [ { user: x, password: x } ] }, SYS: {} }\nsystem_account: SYS\n${links}`);
  start('leaf-lax', 'nats-server', ['-c', join(config, 'nats.conf')], {});
  const lax = await until('it answers', () => NatsWire.open(`nats://127.0.0.1:${ports.lax}`, { user: 'x', pass: 'x' }).then((nats) => (nats.isEnded ? null : nats)));
  const signIn = (user) => NatsWire.open(stack.status().nats, { user, pass: password(user) });
  const [ops, notifications] = await Promise.all(['ops', 'notifications'].map(signIn));
  for (const subject of ['ww.rt.user.*', 'ww.rt.all']) await ops.subscribe(subject);
  for (const subject of ['ww.event.>', '_INBOX.notifications.>', '_INBOX.ops.>', 'ww.svc.>', '$JS.ACK.>', '$SYS.>', 'ww.rt.user.eve']) await lax.subscribe(subject);
  // The link is up, and all that was subscribed before is known at the hub, when what may cross has come.
  await until('what may cross comes', async () => {
    await notifications.publish('ww.rt.user.eve', 'rung');
    await lax.say('PONG');
    return lax.messages.some(({ payload }) => payload === 'rung');
  });

  for (const subject of ['ww.rt.user.eve', 'ww.rt.all', 'ww.event.kyc', 'ww.backend.notifications.revoke', 'ww.audit.chat', '$KV.ww_revoked.eve']) {
    await lax.publish(subject, 'forged');
  }
  for (const subject of ['$JS.API.STREAM.PURGE.WW_EVENTS', '$JS.API.STREAM.DELETE.WW_AUDIT', '$JS.API.ACCOUNT.PURGE.APP', '$JS.API.STREAM.INFO.WW_EVENTS']) {
    await lax.publish(subject, '', '_INBOX.edge.forged');
  }
  await lax.subscribe('_INBOX.edge.forged');
  await ops.publish('ww.svc.chat.stats', '', '_INBOX.ops.mine');
  await notifications.publish('_INBOX.ops.answer', 'for ops alone');
  await stack.publish([kyc('eve', 1)]);
  // What is asked last and may be asked is answered last: all before it has been dropped by then.
  const info = await lax.ask('_INBOX.edge', '$JS.API.CONSUMER.INFO.WW_EVENTS.notifications');
  assert.equal(info.config?.durable_name, 'notifications', JSON.stringify(info));
  await ops.say('PONG');
  assert.ok(ops.messages.some(({ payload }) => payload === 'rung'), 'it would have heard');
  assert.deepEqual(ops.messages.filter(({ payload }) => payload === 'forged'), [], 'nothing forged reached the hub');
  await stack.verify('eve');
  await stack.assertNoDeadLetters(); // which an event that is none would be
  const heard = lax.messages.filter(({ subject, payload }) => subject !== 'ww.rt.user.eve' && payload !== 'forged' && !/^_INBOX\.edge\.\d+$/.test(subject));
  assert.deepEqual(heard, [], 'nothing of others crossed');
  for (const nats of [lax, ops, notifications]) nats.close();
});

stack.test('no link without a certificate of the authority, on either side, nor in plain text', async () => {
  await startLeaf('edge', { name: 'stranger', tls: 'stranger' });
  await startLeaf('edge', { name: 'credulous', tls: 'credulous' });
  await until('the hub refuses a stranger', () => /certificate signed by unknown authority|bad certificate/.test(stack.log('nats')));
  await until('a leaf refuses a hub that it can\'t judge', () => /certificate signed by unknown authority/.test(stack.log('leaf-credulous')));
  for (const name of ['stranger', 'credulous']) assert.doesNotMatch(stack.log(`leaf-${name}`), /Skipping deny/, `${name} has no link`);

  const plain = net.connect(ports.hub, '127.0.0.1');
  const said = [];
  plain.on('data', (data) => said.push(data));
  plain.write(`CONNECT ${JSON.stringify({ user: 'edge', pass: password('edge'), name: 'plain' })}\r\nLS+ ww.rt.user.*\r\nPING\r\n`);
  await new Promise((resolve) => plain.once('close', resolve).once('error', resolve));
  assert.match(Buffer.concat(said).toString(), /"tls_required":true/);
  assert.doesNotMatch(Buffer.concat(said).toString(), /PONG/);
});

stack.test('what is asked of `ww nats-config` for a leaf has to fit', async () => {
  const table = [
    [['--leaf', 'nobody', '--hub', 'h:1', '--tls-dir', 'x'], /no such NATS user/],
    [['--leaf', 'edge', '--tls-dir', 'x'], /--hub/],
    [['--leaf', 'edge', '--hub', 'h:1'], /--tls-dir/],
    [['--leaf', 'edge', '--hub', 'h:1', '--tls-dir', 'x', '--leaf-port', '1'], /--leaf-port/],
    [['--store-dir', 'x', '--leaf-port', '1'], /--tls-dir/],
  ];
  for (const [args, reason] of table) {
    const { code, stdout, stderr } = await run(join(BIN, 'ww'), ['nats-config', '--passwords-dir', join(stack.dir, 'secrets', 'nats'), ...args]);
    assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    assert.match(stderr, reason);
  }
});
