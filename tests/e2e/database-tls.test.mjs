// PostgreSQL over mutual TLS: every service runs over it, and what is not as it should be is refused by its reason.

import assert from 'node:assert/strict';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { Authority } from './authority.mjs';
import { kyc, request, run, until, useStack } from './harness.mjs';

const HOST = 'postgres.walletwire.test'; // which resolves nowhere: the address is given as `hostaddr`
const ROLES = ['notifications', 'presence', 'chat', 'audit', 'auditor'];
const SERVICES = ['notifications', 'presence', 'chat', 'audit'];
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]); // asks a server whether it speaks TLS
const READY = Buffer.from([...Buffer.from('Z'), 0, 0, 0, 5]); // and a byte: the end of an answer
const RECORD_MAX = 16384;

const certificates = {}; // by role
const plain = {}; // connection strings as ./dev up made them, by role
let authority;
let stranger; // another authority, which nobody trusts

const stack = useStack({ edges: 1, audit: 1 }, async () => {
  authority = await Authority.make(join(stack.dir, 'authority'));
  stranger = await Authority.make(join(stack.dir, 'stranger'));
  for (const role of ROLES) {
    certificates[role] = await authority.issue(role);
    plain[role] = readFileSync(urlFile(role), 'utf8').trim();
  }
  certificates.server = await authority.issue('server', `DNS:${HOST}`);
});

const urlFile = (role) => join(stack.dir, 'secrets', 'postgres', `${role}.url`);
const dataFolder = () => join(readFileSync(join(stack.dir, 'postgres.dir'), 'utf8').trim(), 'data');

// The connection string of a role over mutual TLS; `changes` puts parameters in, or takes them out by null.
function protectedUrl(role, changes = {}) {
  const url = new URL(plain[role]);
  const { host = HOST, ...others } = changes;
  const { crt, key } = certificates[role];
  const parameters = { hostaddr: '127.0.0.1', sslmode: 'verify-full', sslrootcert: authority.crt, sslcert: crt, sslkey: key, ...others };
  url.hostname = host;
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null) url.searchParams.set(name, value);
  }
  return url.href.replaceAll('%2F', '/');
}

// A file of the server's own, as the server wants it.
function giveServer(name, from) {
  const path = join(dataFolder(), name);
  const { uid, gid } = statSync(join(dataFolder(), 'PG_VERSION'));
  copyFileSync(from, path);
  chownSync(path, uid, gid);
  chmodSync(path, 0o600);
}

// `ww audit verify` as the auditor, who connects with what is to be tried: { code, stdout, stderr }.
async function verify(url) {
  const file = join(stack.dir, 'tried.url');
  writeFileSync(file, url, { mode: 0o600 });
  return stack.ww(['audit', 'verify', '--database-url-file', file]);
}

stack.test('the rest of a large TLS record is read without waiting for more', async () => {
  const { crt, key } = await authority.issue('pooler', `DNS:${HOST}`);
  const { port } = new URL(plain.auditor);
  await stack.publish(Array.from({ length: 400 }, (_, n) => kyc('records', n)));
  await until('they are recorded', async () => Number(await stack.psql('auditor', '-c', 'SELECT count(*) FROM audit.records')) >= 400);
  const pooler = net.createServer({ pauseOnConnect: true }, (client) => {
    client.once('readable', () => {
      assert.deepEqual(client.read(), SSL_REQUEST);
      client.write('S');
      const shielded = new tls.TLSSocket(client, { isServer: true, key: readFileSync(key), cert: readFileSync(crt) });
      const server = net.connect(Number(port), '127.0.0.1');
      // Each answer as a whole, its last record as large as one may be: nothing follows that would wake its reader.
      let answer = Buffer.alloc(0);
      let isSignedIn = false;
      server.on('data', (bytes) => {
        answer = Buffer.concat([answer, bytes]);
        const isWhole = answer.subarray(-READY.length - 1, -1).equals(READY);
        if (isSignedIn && !isWhole) return;
        isSignedIn ||= isWhole;
        const rest = answer.length % RECORD_MAX;
        if (rest > 0) shielded.write(answer.subarray(0, rest));
        for (let at = rest; at < answer.length; at += RECORD_MAX) shielded.write(answer.subarray(at, at + RECORD_MAX));
        answer = Buffer.alloc(0);
      });
      shielded.on('data', (bytes) => server.write(bytes));
      for (const [one, other] of [[shielded, server], [server, shielded]]) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
  });
  await new Promise((resolve) => pooler.listen(0, '127.0.0.1', resolve));
  try {
    const url = new URL(protectedUrl('auditor', { sslcert: null, sslkey: null }));
    url.port = pooler.address().port;
    const { code, stdout, stderr } = await verify(url.href);
    assert.equal(code, 0, `${stdout}${stderr}`);
    assert.match(stdout, /consistent/);
  } finally {
    pooler.close();
  }
});

stack.test('every service runs over mutual TLS, and over nothing else', async () => {
  giveServer('server.crt', certificates.server.crt);
  giveServer('server.key', certificates.server.key);
  giveServer('root.crt', authority.crt);
  await stack.psqlAdmin("ALTER SYSTEM SET ssl_ca_file = 'root.crt'");
  await stack.psqlAdmin('ALTER SYSTEM SET ssl = on');
  // The superuser, whom this test signs in as, needs no certificate; roles of programs do, with the role's name on it.
  writeFileSync(
    join(dataFolder(), 'pg_hba.conf'),
    'host all postgres 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-full\n',
  );
  for (const role of ROLES) writeFileSync(urlFile(role), protectedUrl(role));
  await stack.kill('postgres', 'SIGINT');
  for (const service of SERVICES) await stack.kill(service);
  for (const service of SERVICES) await stack.waitReady(service);

  const alice = await stack.connect('alice');
  const bob = await stack.connect('bob');
  await stack.publish([kyc('alice', 1)]);
  await alice.waitFor('kyc:update', ({ level }) => level === '1');
  const room = await alice.ask('chat:create', { type: 'group', name: 'over TLS', members: ['bob'] });
  assert.equal(room.ok, true, JSON.stringify(room));
  assert.equal((await alice.ask('chat:send', { roomId: room.room.id, text: 'hello', clientId: 'c1' })).ok, true);
  await bob.waitFor('chat:message', ({ text }) => text === 'hello');
  assert.equal((await alice.ask('presence:get', { userIds: ['alice'] })).ok, true);

  const sessions = await stack.psqlAdmin(
    `SELECT DISTINCT usename, ssl, version, client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
     WHERE usename IN ('${SERVICES.join("','")}') ORDER BY usename`,
  );
  assert.deepEqual(
    sessions,
    [...SERVICES].sort().map((role) => `${role}|t|TLSv1.3|/CN=${role}`),
  );
  for (const service of SERVICES) assert.match(stack.log(service), /PostgreSQL answers, TLSv1\.3/);
  const { code, stdout, stderr } = await verify(protectedUrl('auditor'));
  assert.equal(code, 0, `${stdout}${stderr}`);
});

stack.test('what is not as it should be is refused, and the reason is told without the password', async () => {
  const empty = join(stack.dir, 'empty');
  const absent = join(stack.dir, 'absent');
  const lax = join(stack.dir, 'lax.key');
  writeFileSync(empty, '');
  copyFileSync(certificates.auditor.key, lax);
  chmodSync(lax, 0o644);
  const foreign = await stranger.issue('auditor');
  const table = [
    ['another authority than the server\'s', { sslrootcert: stranger.crt }, /certificate verify failed/],
    ['another host than the certificate names', { host: 'other.walletwire.test' }, /does not match host name "other\.walletwire\.test"/],
    ['no certificate of the client', { sslcert: null, sslkey: null }, /requires a valid client certificate/],
    ['a client\'s certificate of another authority', { sslcert: foreign.crt, sslkey: foreign.key }, /SSL error|unknown ca/],
    ['a certificate of another role', { sslcert: certificates.chat.crt, sslkey: certificates.chat.key }, /28P01/],
    ['no TLS', { sslmode: 'disable', sslrootcert: null, sslcert: null, sslkey: null }, /no pg_hba\.conf entry .*no encryption/],
    ['a mode that does not judge the server', { sslmode: 'require' }, /sslrootcert of the database URL: sslmode=require does not make sure/],
    ['no mode', { sslmode: null }, /sslrootcert of the database URL: sslmode=prefer does not make sure/],
    ['an authority that is not there', { sslrootcert: absent }, /sslrootcert of the database URL: .*absent No such file/],
    ['an authority of nothing', { sslrootcert: empty }, /sslrootcert of the database URL: .*is empty/],
    ['a list of revocations that is not there', { sslcrl: absent }, /sslcrl of the database URL: .*absent No such file/],
    ['a list of revocations that is none', { sslcrl: authority.crt }, /sslcrl of the database URL: .*holds no certificate revocation list/],
    ['a folder of lists that is not there', { sslcrldir: absent }, /certificate verify failed/],
    ['a folder of lists for a mode that does not judge', { sslmode: 'require', sslrootcert: null, sslcrldir: absent }, /sslcrldir of the database URL: sslmode=require/],
    ['a certificate that is not there', { sslcert: absent }, /sslcert of the database URL: .*absent No such file/],
    ['a key that is not there', { sslkey: absent }, /sslkey of the database URL: .*absent No such file/],
    ['a key that others may read', { sslkey: lax }, /private key file .*has group or world access/],
    ['a key of another certificate', { sslkey: certificates.chat.key }, /key values mismatch/],
  ];
  const password = new URL(plain.auditor).password;
  for (const [what, changes, reason] of table) {
    const { code, stdout, stderr } = await verify(protectedUrl('auditor', changes));
    assert.notEqual(code, 0, `${what}: ${stdout}`);
    assert.match(stderr, reason, what);
    assert.ok(!`${stdout}${stderr}`.includes(password), what);
  }
});

stack.test('a certificate that was revoked is refused, on either side', async () => {
  assert.equal((await verify(protectedUrl('auditor', { sslcrl: await authority.revoked() }))).code, 0, 'a list that is empty');

  await authority.revoke(certificates.auditor);
  giveServer('root.crl', await authority.revoked());
  await stack.psqlAdmin("ALTER SYSTEM SET ssl_crl_file = 'root.crl'");
  await stack.psqlAdmin('SELECT pg_reload_conf()');
  const client = await until('the server knows', async () => {
    const answer = await verify(protectedUrl('auditor'));
    return answer.code !== 0 && answer;
  });
  assert.match(client.stderr, /certificate revoked|SSL error/);

  certificates.auditor = await authority.issue('auditor');
  await authority.revoke(certificates.server);
  const server = await verify(protectedUrl('auditor', { sslcrl: await authority.revoked() }));
  assert.notEqual(server.code, 0, server.stdout);
  assert.match(server.stderr, /certificate verify failed/);
  assert.equal((await verify(protectedUrl('auditor'))).code, 0, 'who has no list can\'t know');
});

stack.test('a service that cannot make sure of the server says so and goes on when it can', async () => {
  const { admin } = stack.status().services.find(({ name }) => name === 'notifications');
  const readiness = async () => (await request(`${admin}/readyz`).catch(() => ({ body: '' }))).body;
  const isTold = () => readiness().then((body) => /the TLS connection to PostgreSQL can't be made as asked for/.test(body));

  // While it runs: who to believe is gone, and so are its connections.
  const hidden = `${authority.crt}.hidden`;
  renameSync(authority.crt, hidden);
  await stack.psqlAdmin("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'notifications'");
  await until('it is not ready for that reason', isTold);
  renameSync(hidden, authority.crt);
  await stack.waitReady('notifications');

  // From its start: it believes somebody else.
  writeFileSync(urlFile('chat'), protectedUrl('chat', { sslrootcert: stranger.crt }));
  await stack.kill('chat');
  await until('it tells why it waits', () => /waiting for the database: .*certificate verify failed/.test(stack.log('chat')));
  writeFileSync(urlFile('chat'), protectedUrl('chat'));
  await stack.kill('chat');
  await stack.waitReady('chat');
});
