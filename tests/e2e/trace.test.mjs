// A trace that its publisher began, or a client's event, is found in the lines of every process that it passes.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kyc, until, useStack } from './harness.mjs';
import { NatsWire } from './natswire.mjs';

const stack = useStack({ edges: 2, outbox: true, env: { WW_LOG_LEVEL: 'debug' } });

const hex = (bytes) => randomBytes(bytes).toString('hex');
const newTrace = () => {
  const [id, span] = [hex(16), hex(8)];
  return { id, span, traceparent: `00-${id}-${span}-01` };
};

/** Every line with a trace, as [{ svc, msg, trace_id, span_id, ... }]. */
function tracedLines() {
  const folder = join(stack.dir, 'log');
  return readdirSync(folder)
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .filter((line) => line.startsWith('{') && line.includes('"trace_id"'))
    .map((line) => JSON.parse(line));
}

/** The lines of a trace once each of `hops`, [service, message], has one. */
function linesOf(id, hops) {
  return until(`lines of ${hops.join(', ')} in trace ${id}`, () => {
    const lines = tracedLines().filter((line) => line.trace_id === id);
    return hops.every(([svc, msg]) => lines.some((line) => line.svc === svc && line.msg.includes(msg))) && lines;
  });
}

const EVENT_HOPS = (kind, what) => [
  ['notifications', `${kind} applied`],
  ['edge', `${what} for the sockets`],
];

async function backend() {
  const password = readFileSync(join(stack.dir, 'secrets', 'nats', 'backend'), 'utf8').trim();
  const nats = await NatsWire.open(stack.status().nats, { user: 'backend', pass: password, headers: true });
  assert.deepEqual(nats.refusals, []);
  return nats;
}

/** An event under a header that no library would set. */
async function publishRaw(subject, header, payload = '') {
  const nats = await backend();
  const head = `NATS/1.0\r\nNats-Msg-Id: ${hex(8)}\r\ntraceparent: ${header}\r\n\r\n`;
  assert.deepEqual(await nats.say(`HPUB ${subject} ${head.length} ${head.length + payload.length}`, head + payload), []);
  nats.socket.destroy();
}

stack.test('what is published with a traceparent is in that trace at every hop, with a span of each', async () => {
  const alice = await stack.connect('alice');
  const trace = newTrace();
  const published = await stack.ww(['publish', 'payment', '--user', 'alice', '--set', 'amount=1.00', '--set', 'currency=EUR', '--traceparent', trace.traceparent]);
  assert.equal(published.code, 0, published.stderr);
  await alice.waitFor('payment');
  const lines = await linesOf(trace.id, EVENT_HOPS('payment', 'item'));
  const spans = new Set([trace.span, ...lines.map((line) => line.span_id)]);
  assert.ok(spans.size >= 3, 'publisher, notifications and edge have a span each');
  for (const { span_id: span } of lines) assert.match(span, /^[0-9a-f]{16}$/);
  assert.equal(lines.find((line) => line.svc === 'edge').user, 'alice');
});

stack.test('a state is in the trace of its event too', async () => {
  const bob = await stack.connect('bob');
  const trace = newTrace();
  await stack.publish([{ userIds: ['bob'], balance: { walletId: 'w', available_balance: '1.00', pending_balance: '0.00', currency: 'EUR' } }], '--traceparent', trace.traceparent);
  await bob.waitFor('balance:update');
  await linesOf(trace.id, EVENT_HOPS('balance', 'state'));
});

stack.test('two users of one batch are told under their own events, and the header counts more than the field', async () => {
  const [carol, dave] = [await stack.connect('carol'), await stack.connect('dave')];
  const [first, second, header] = [newTrace(), newTrace(), newTrace()];
  await stack.publish([{ ...kyc('carol', 1), traceparent: first.traceparent }, { ...kyc('dave', 1), traceparent: second.traceparent }]);
  await Promise.all([carol.waitFor('kyc:update'), dave.waitFor('kyc:update')]);
  for (const [{ id }, user] of [[first, 'carol'], [second, 'dave']]) {
    const lines = await linesOf(id, EVENT_HOPS('kyc', 'item'));
    assert.deepEqual([...new Set(lines.filter(({ svc }) => svc === 'edge').map((line) => line.user))], [user]);
  }
  await stack.publish([{ ...kyc('carol', 2), traceparent: first.traceparent }], '--traceparent', header.traceparent);
  await linesOf(header.id, EVENT_HOPS('kyc', 'item'));
});

stack.test('what a wallet writes into its outbox keeps its trace', async () => {
  const erin = await stack.connect('erin');
  const trace = newTrace();
  const event = JSON.stringify({ ...kyc('erin', 1), traceparent: trace.traceparent });
  await stack.psql('wallet', '-c', `INSERT INTO walletwire_outbox.events (key, type, event) VALUES (1, 'kyc', '${event}')`);
  await erin.waitFor('kyc:update');
  await linesOf(trace.id, EVENT_HOPS('kyc', 'item'));
});

stack.test('a traceparent that is none is ignored, and a trace begins', async () => {
  const frank = await stack.connect('frank');
  const zero = `00-${'0'.repeat(32)}-${hex(8)}-01`;
  const known = new Set(tracedLines().map((line) => line.trace_id));
  await stack.publish([zero, 'x'.repeat(300), `ff-${hex(16)}-${hex(8)}-01`].map((traceparent, i) => ({ ...kyc('frank', i), traceparent })));
  await frank.waitFor('kyc:update', ({ level }) => level === '2');
  const begun = await until('three traces', () => {
    const lines = tracedLines().filter((line) => line.svc === 'edge' && line.user === 'frank' && line.msg.startsWith('item') && !known.has(line.trace_id));
    return lines.length >= 3 && lines;
  });
  assert.equal(new Set(begun.map((line) => line.trace_id)).size, 3);
  assert.ok(!begun.some((line) => line.trace_id === '0'.repeat(32)));
  await linesOf(begun[0].trace_id, EVENT_HOPS('kyc', 'item'));
});

stack.test('an event that is given up is told in its trace, and keeps it when it is replayed', async () => {
  const [trace, bad] = [newTrace(), hex(400)];
  await publishRaw('ww.event.kyc', trace.traceparent, 'no protobuf');
  await publishRaw('ww.event.kyc', bad, 'nor this');
  await linesOf(trace.id, [['notifications', 'was given up']]);
  const letters = await until('two letters', async () => {
    const { stdout } = await stack.ww(['dlq', 'list', '--json']);
    const lines = stdout.split('\n').filter(Boolean);
    return lines.length === 2 && lines;
  });
  const told = () => tracedLines().filter((line) => line.trace_id === trace.id && line.msg.includes('was given up')).length;
  assert.equal(told(), 1);
  const { code, stderr } = await stack.ww(['dlq', 'replay', '--all']);
  assert.equal(code, 0, stderr);
  await until('it is given up again', () => told() === 2);
  assert.ok(!letters.join('').includes(bad.slice(0, 64)), 'what is no traceparent goes no further');
});

stack.test('a message of a client is one trace from its edge by ww-chat and ww-notifications to the other edge', async () => {
  const [gina, hugo] = [await stack.connect('gina'), await stack.connect('hugo', { at: 1 })];
  const sent = await gina.ask('chat:send', { recipientId: 'hugo', text: 'hello', clientId: 'c1' });
  assert.equal(sent.ok, true, JSON.stringify(sent));
  await hugo.waitFor('chat:message');
  const asked = await until('the line of the edge', () => tracedLines().find((line) => line.svc === 'edge' && line.msg.startsWith('chat:send: ok')));
  const lines = await linesOf(asked.trace_id, [['edge', 'chat:send: ok'], ['chat', 'ww.svc.chat.send: ok'], ...EVENT_HOPS('chat_message', 'item')]);
  assert.ok(lines.some((line) => line.svc === 'edge' && line.user === 'hugo'));
  assert.ok(new Set(lines.map((line) => line.span_id)).size >= 4);
});

stack.test('a refusal by a service is in the trace of the question', async () => {
  const ivan = await stack.connect('ivan');
  const refused = await ivan.ask('chat:history', { roomId: 'nowhere' });
  assert.equal(refused.ok, false);
  const line = await until('the line of the service', () => tracedLines().find((l) => l.svc === 'chat' && l.user === 'ivan' && l.status));
  await linesOf(line.trace_id, [['edge', 'chat:history']]);
});

stack.test('`ww publish` refuses a traceparent that is none', async () => {
  const { code, stderr } = await stack.ww(['publish', 'kyc', '--user', 'alice', '--traceparent', '00-x']);
  assert.equal(code, 2);
  assert.match(stderr, /--traceparent/);
});
