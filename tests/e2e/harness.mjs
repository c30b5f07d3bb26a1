// What the end-to-end tests share: a whole system started by ./dev on free ports in a folder of its own,
// and stock clients that write down what they are sent.
//
//   const stack = useStack({ edges: 2 });
//   stack.test('a payment reaches its user', async () => {
//     const alice = await stack.connect('alice');
//     await stack.publish([{ userIds: ['alice'], payment: { amount: '1.00', currency: 'EUR' } }]);
//     await alice.waitFor('payment');
//   });

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { appendFileSync, chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const LONG = process.env.WW_E2E_LONG === 'true';

export const PRESET = process.env.WW_DEV_PRESET ?? 'asan';
const WAIT_MS = 20_000;
const VERIFY_MAX = 250; // users of one `ww inbox verify`
const TEST_TIMEOUT_MS = 120_000;
const SANITIZER_REPORT = /ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:/;

// The event that tests publish to see it arrive: number n of a user's, told by its level.
export const kyc = (user, n) => ({ id: `${user}-${n}`, userIds: [user], kyc: { status: 'approved', level: String(n), message: '' } });

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Runs a program to its end: { code, stdout, stderr }.
export function run(command, args, { env = {}, input = '' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? signal, stdout, stderr }));
    child.stdin.on('error', () => {}); // it may end before it read everything
    child.stdin.end(input);
  });
}

// Nobody may have asked for its exit code yet.
function hasEnded(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)[0] === 'Z';
  } catch {
    return true;
  }
}

// Polls until `probe` returns something true, and returns that.
export async function until(what, probe, timeoutMs = WAIT_MS) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(20);
  }
}

// A plain HTTP request: { status, headers, body }. `from`: one of this machine's addresses, 127.0.0.1 to ...255.
export function request(url, { method = 'GET', headers = {}, body = '', from } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { method, headers, agent: false, localAddress: from }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body: text }));
    });
    req.setTimeout(WAIT_MS, () => req.destroy(new Error(`no answer from ${url}`)));
    req.on('error', reject);
    req.end(body);
  });
}

// A stock client that remembers: `events` in order, `packets` as they were on the wire.
export class Client {
  constructor(url, options) {
    this.events = [];
    this.packets = [];
    this.disconnects = [];
    this.watchers = new Set();
    this.socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, ...options });
    this.socket.onAny((name, data) => this.#note({ name, data }));
    this.socket.on('disconnect', (reason) => {
      this.disconnects.push(reason);
      this.#wake();
    });
    this.socket.io.on('open', () => {
      this.socket.io.engine.on('packet', ({ type, data }) => type === 'message' && this.packets.push(data));
    });
  }

  #note(event) {
    this.events.push(event);
    this.#wake();
  }

  #wake() {
    for (const watcher of this.watchers) watcher();
  }

  // Resolves once connected; rejects with what the server said.
  connected() {
    return new Promise((resolve, reject) => {
      if (this.socket.connected) return resolve(this);
      this.socket.once('connect', () => resolve(this));
      this.socket.once('connect_error', (error) => reject(error));
    });
  }

  // Resolves with the CONNECT_ERROR: { message, data }.
  refused() {
    return new Promise((resolve, reject) => {
      this.socket.once('connect', () => reject(new Error('was let in')));
      this.socket.once('connect_error', (error) => resolve({ message: error.message, data: error.data }));
    });
  }

  // Resolves with the value of `probe` as soon as it is true; looks again after everything that arrives.
  waitUntil(what, probe, timeoutMs = WAIT_MS) {
    return new Promise((resolve, reject) => {
      const done = (settle, value) => {
        clearTimeout(timer);
        this.watchers.delete(look);
        settle(value);
      };
      const look = () => {
        const value = probe();
        if (value) done(resolve, value);
      };
      const timer = setTimeout(() => {
        const seen = this.events.slice(-20).map((event) => `\n  ${event.name} ${JSON.stringify(event.data)}`);
        done(reject, new Error(`not within ${timeoutMs} ms: ${what}; ${this.events.length} events, the last:${seen.join('')}`));
      }, timeoutMs);
      this.watchers.add(look);
      look();
    });
  }

  // The payload of the first event `name` (since the last mark) that `accept` likes.
  async waitFor(name, accept = () => true, timeoutMs = WAIT_MS) {
    const find = () => this.since().find((event) => event.name === name && accept(event.data));
    return (await this.waitUntil(`event ${name} ${accept}`, find, timeoutMs)).data;
  }

  disconnected(timeoutMs = WAIT_MS) {
    return this.waitUntil('disconnect', () => this.disconnects.at(-1), timeoutMs);
  }

  // What came before a mark is not looked at by waitFor and payloads.
  mark() {
    this.marked = this.events.length;
  }

  since() {
    return this.events.slice(this.marked ?? 0);
  }

  payloads(name) {
    return this.since()
      .filter((event) => event.name === name)
      .map((event) => event.data);
  }

  // Inbox items in the order of arrival.
  items() {
    return this.since()
      .map((event) => event.data)
      .filter((data) => data?.notification);
  }

  // Emits a client event and returns its acknowledgement.
  ask(event, payload = {}) {
    return this.socket.timeout(WAIT_MS).emitWithAck(event, payload);
  }

  close() {
    this.socket.disconnect();
  }
}

export class Stack {
  constructor({ edges = 2, notifications = 1, presence = 1, chat = 1, audit = 0, outbox = false, bank = false, env = {} } = {}) {
    this.options = { edges, notifications, presence, chat, audit, outbox, bank };
    this.env = { ...env, WW_DEV_PRESET: PRESET };
    this.clients = [];
    this.failed = false;
  }

  async start() {
    // Open to the postgres user, as a folder of a person's would be.
    this.dir = mkdtempSync(join(tmpdir(), 'ww-e2e-'));
    chmodSync(this.dir, 0o755);
    const { edges, notifications, presence, chat, audit, outbox, bank } = this.options;
    const build = process.env.WW_E2E_NO_BUILD ? ['--no-build'] : [];
    const args = ['up', '--detach', '--free-ports', '--run-dir', this.dir, '--edges', edges, '--notifications', notifications];
    args.push('--presence', presence, '--chat', chat, '--audit', audit);
    if (outbox) args.push('--outbox');
    if (!bank) args.push('--no-bank');
    const { code, stdout, stderr } = await run('./dev', [...args.map(String), ...build], { env: this.env });
    assert.equal(code, 0, `./dev up failed:\n${stdout}\n${stderr}`);
    this.wwEnv = { ...this.env, ...this.#readEnv() };
  }

  // The lines "export NAME=value" that ./dev ww reads too.
  #readEnv() {
    const lines = readFileSync(join(this.dir, 'env'), 'utf8').split('\n');
    const pairs = lines.map((line) => /^export (\w+)=(.*)$/.exec(line)).filter(Boolean);
    return Object.fromEntries(pairs.map(([, name, value]) => [name, value]));
  }

  async stop() {
    for (const client of this.clients) client.close();
    if (!this.dir) return;
    const down = await run('./dev', ['down', '--run-dir', this.dir], { env: this.env });
    const reports = this.#sanitizerReports();
    if (this.failed || reports.length > 0 || down.code !== 0) {
      console.error(`kept for a look: ${this.dir}`);
    } else {
      await run('./dev', ['down', '--wipe', '--run-dir', this.dir], { env: this.env });
    }
    assert.equal(down.code, 0, `./dev down failed:\n${down.stderr}`);
    assert.doesNotMatch(down.stderr, /killed/, 'every process stops when asked');
    assert.deepEqual(reports, [], 'no sanitizer has anything to report');
  }

  #sanitizerReports() {
    const logs = join(this.dir, 'log');
    return readdirSync(logs).flatMap((file) => {
      const lines = readFileSync(join(logs, file), 'utf8').split('\n');
      const at = lines.findIndex((line) => SANITIZER_REPORT.test(line));
      return at < 0 ? [] : [`${file}:\n${lines.slice(at, at + 30).join('\n')}`];
    });
  }

  // Registers a test that remembers its failure, so that the logs are kept.
  test(name, fn, options = {}) {
    test(name, { timeout: TEST_TIMEOUT_MS, ...options }, async (t) => {
      try {
        await fn(t);
      } catch (error) {
        this.failed = true;
        throw error;
      }
    });
  }

  status() {
    return JSON.parse(readFileSync(join(this.dir, 'status.json'), 'utf8'));
  }

  edge(index) {
    return this.status().edges[index];
  }

  log(name) {
    return readFileSync(join(this.dir, 'log', `${name}.log`), 'utf8');
  }

  #program(name) {
    return join(ROOT, 'build', PRESET, 'bin', name);
  }

  ww(args, { env = {}, input } = {}) {
    return run(this.#program('ww'), args, { env: { ...this.wwEnv, ...env }, input });
  }

  // A token that is good, unless its claims say otherwise: token('alice', '--claim', 'role=ops').
  async token(user, ...args) {
    const { code, stdout, stderr } = await this.ww(['token', '--user', user, ...args]);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }

  // The same without starting a program, for tests that need hundreds of them.
  sign(user, claims = {}) {
    const now = Math.floor(Date.now() / 1000);
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = [{ alg: 'HS256', typ: 'JWT', kid: 'dev' }, { sub: user, iat: now, exp: now + 3600, jti: randomUUID(), ...claims }].map(encode).join('.');
    const key = readFileSync(join(this.dir, 'keys', 'dev.hs256'));
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
  }

  // Publishes events, given as objects or as lines; resolves when the stream has stored them.
  async publish(events, ...args) {
    const lines = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
    const result = await this.ww(['publish', '--json', '-', ...args], { input: `${lines.join('\n')}\n` });
    assert.equal(result.code, 0, `ww publish: ${result.stderr}${result.stdout.slice(-500)}`);
    return result;
  }

  client(url, options) {
    const client = new Client(url, options);
    this.clients.push(client);
    return client;
  }

  // What HAProxy signs for itself.
  certificate() {
    return readFileSync(join(this.dir, 'tls', 'localhost.crt'));
  }

  // Where clients connect: the number of an edge, 'http' or 'https' for HAProxy, or any other URL.
  url(at) {
    if (at === 'http' || at === 'https') return this.status()[at];
    return typeof at === 'number' ? this.edge(at).http : at;
  }

  // A connected client of `user`; at: see url().
  async connect(user, { at = 0, ...options } = {}) {
    return this.client(this.url(at), { auth: { token: await this.token(user) }, ...options }).connected();
  }

  // Runs psql as one of PostgreSQL's roles here, with its output as unaligned rows; returns them.
  async psql(role, ...args) {
    const url = readFileSync(join(this.dir, 'secrets', 'postgres', `${role}.url`), 'utf8').trim();
    const { code, stdout, stderr } = await run('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', url, ...args]);
    assert.equal(code, 0, stderr);
    return stdout.split('\n').slice(0, -1);
  }

  // The same as the superuser, with whom no program of ours signs in.
  async psqlAdmin(sql) {
    const { port } = new URL(readFileSync(join(this.dir, 'secrets', 'postgres', 'chat.url'), 'utf8').trim());
    const args = ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-h', '127.0.0.1', '-p', port, '-U', 'postgres', '-d', 'walletwire', '-c', sql];
    const { code, stdout, stderr } = await run('psql', args, { env: { PGPASSFILE: join(this.dir, 'secrets', 'pgpass') } });
    assert.equal(code, 0, stderr);
    return stdout.split('\n').slice(0, -1);
  }

  // No event was given up.
  async assertNoDeadLetters() {
    const { code, stdout, stderr } = await this.ww(['dlq', 'list']);
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
  }

  // `ww inbox verify`: counters equal a recount, numbers have no gap. Returns what it says.
  async verify(user) {
    const { code, stdout, stderr } = await this.ww(['inbox', 'verify', user, '--json']);
    assert.equal(code, 0, `${user} is not consistent: ${stdout}${stderr}`);
    return JSON.parse(stdout);
  }

  // The same of many users at once; the verdicts, in their order.
  async verifyAll(users) {
    const verdicts = [];
    for (let i = 0; i < users.length; i += VERIFY_MAX) {
      const { code, stdout, stderr } = await this.ww(['inbox', 'verify', ...users.slice(i, i + VERIFY_MAX), '--json']);
      assert.equal(code, 0, `not consistent: ${stderr}${stdout.slice(0, 2000)}`);
      verdicts.push(...stdout.trim().split('\n').map((line) => JSON.parse(line)));
    }
    return verdicts;
  }

  #process(name) {
    const { edges, services } = this.status();
    const own = edges.find((edge) => edge.id === name) ?? services.find((service) => service.name === name);
    const pid = own ? own.pid : Number(readFileSync(join(this.dir, 'pid', name), 'utf8').split(' ')[0]);
    return { pid, admin: own?.admin };
  }

  // Sends a signal to a process by the name it has in ./dev status (or nats, postgres, haproxy) and
  // waits until another one has taken its place.
  async kill(name, signal = 'SIGKILL') {
    const { pid } = this.#process(name);
    process.kill(pid, signal);
    await until(`${name} is started again`, () => {
      const now = this.#process(name).pid;
      return now && now !== pid;
    });
  }

  // Stops a process for as long as `during` takes, with its connections left as they are.
  async frozen(name, during) {
    const { pid } = this.#process(name);
    process.kill(pid, 'SIGSTOP');
    try {
      return await during();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }

  // Ends a process in good order and keeps it away for as long as `during` takes.
  async away(name, during) {
    const { pid } = this.#process(name);
    const supervisor = Number(readFileSync(join(this.dir, 'pid', `${name}.supervisor`), 'utf8').split(' ')[0]);
    process.kill(supervisor, 'SIGSTOP');
    try {
      process.kill(pid, 'SIGINT');
      await until(`${name} has ended`, () => hasEnded(pid));
      return await during();
    } finally {
      process.kill(supervisor, 'SIGCONT');
      await until(`${name} is started again`, () => this.#process(name).pid !== pid);
    }
  }

  // HAProxy reads its configuration again: a new worker takes over, the old one keeps the sockets it has.
  async reloadHaproxy() {
    const { pid } = this.#process('haproxy');
    const workers = () => this.log('haproxy').match(/Loading success/g).length;
    const before = workers();
    process.kill(pid, 'SIGUSR2');
    await until('a new worker serves', () => workers() > before);
    assert.equal(this.#process('haproxy').pid, pid);
  }

  // What a restore from a backup ends in: PostgreSQL is started as one and goes on on a new timeline.
  async restorePostgres() {
    const data = join(readFileSync(join(this.dir, 'postgres.dir'), 'utf8').trim(), 'data');
    const { uid, gid } = statSync(join(data, 'PG_VERSION'));
    appendFileSync(join(data, 'postgresql.auto.conf'), "restore_command = 'false'\n");
    writeFileSync(join(data, 'recovery.signal'), '');
    chownSync(join(data, 'recovery.signal'), uid, gid);
    await this.kill('postgres', 'SIGINT');
    await until('the restore is done', () => !existsSync(join(data, 'recovery.signal')));
  }

  waitReady(name, timeoutMs = WAIT_MS) {
    return until(
      `${name} is ready`,
      async () => {
        const { admin } = this.#process(name);
        return (await request(`${admin}/readyz`).catch(() => ({}))).status === 200;
      },
      timeoutMs,
    );
  }

  // The sum of a metric over its labels; of those lines that have `label`, if one is named.
  async metric(admin, name, label = '') {
    const { body } = await request(`${admin}/metrics`);
    return body
      .split('\n')
      .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(label))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }
}

// A stack for the tests of this file; `prepare` is run once it is up. There is one hook only: those of a
// file without suites are started all at once.
export function useStack(options, prepare = async () => {}) {
  const stack = new Stack(options);
  before(
    async () => {
      await stack.start();
      await prepare(stack);
    },
    { timeout: 300_000 },
  );
  afterEach(() => {
    for (const client of stack.clients.splice(0)) client.close();
  });
  after(() => stack.stop(), { timeout: 60_000 });
  return stack;
}
