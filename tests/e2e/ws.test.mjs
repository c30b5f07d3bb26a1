// Frames that no library sends: each closes the socket with the right code and costs nothing.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { useStack } from './harness.mjs';
import { BINARY, CLOSE, frame, PING, RawSocket, TEXT } from './raw.mjs';

const GIB = 1024 ** 3;

const stack = useStack({ edges: 1 });

const edgeUrl = () => stack.edge(0).http;
const open = (options) => RawSocket.upgrade(edgeUrl(), options);
const code = (n) => Buffer.from([n >> 8, n & 0xff]);

// A field of /proc/PID/status, in bytes.
function memory(field) {
  const status = readFileSync(`/proc/${stack.edge(0).pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
}

async function signIn(raw, user) {
  raw.sendText(`40${JSON.stringify({ token: await stack.token(user) })}`);
  return raw.waitText((text) => text.startsWith('40{"sid"'));
}

const WRONG = [
  ['an unmasked frame', 1002, () => [frame(TEXT, '3', { masked: false })]],
  ['a reserved bit', 1002, () => [frame(TEXT, '3', { rsv: 4 })]],
  ['the last reserved bit', 1002, () => [frame(TEXT, '3', { rsv: 1 })]],
  ['a reserved opcode', 1002, () => [frame(3, '3')]],
  ['a reserved control opcode', 1002, () => [frame(11, '')]],
  ['a fragmented ping', 1002, () => [frame(PING, 'x', { fin: false })]],
  ['a ping of 126 bytes', 1002, () => [frame(PING, 'x'.repeat(126))]],
  ['a continuation of nothing', 1002, () => [frame(0, '3')]],
  ['a second start within a message', 1002, () => [frame(TEXT, '4', { fin: false }), frame(TEXT, '2')]],
  ['a length with its highest bit set', 1002, () => [frame(TEXT, '', { announce: 2n ** 63n + 5n })]],
  ['a close frame with half a code', 1002, () => [frame(CLOSE, 'x')]],
  ['a close code that must not be sent', 1002, () => [frame(CLOSE, code(1005))]],
  ['a close reason that is not UTF-8', 1007, () => [frame(CLOSE, Buffer.concat([code(1000), Buffer.from([0xff])]))]],
  ['text that is not UTF-8', 1007, () => [frame(TEXT, Buffer.from([0x34, 0xc3, 0x28]))]],
  ['an overlong encoding', 1007, () => [frame(TEXT, Buffer.from([0x34, 0xc0, 0xaf]))]],
  ['a surrogate', 1007, () => [frame(TEXT, Buffer.from([0x34, 0xed, 0xa0, 0x80]))]],
  [
    'a character cut by the end of the message, over fragments',
    1007,
    () => [frame(TEXT, Buffer.from([0x34, 0xe2]), { fin: false }), frame(0, Buffer.from([0x82]))],
  ],
  ['a message larger than the limit', 1009, () => [frame(TEXT, `4${'x'.repeat(64 * 1024 + 1)}`)]],
  [
    'fragments that add up to more than the limit',
    1009,
    () => [frame(TEXT, `4${'x'.repeat(40_000)}`, { fin: false }), frame(0, 'x'.repeat(40_000))],
  ],
];

for (const [what, closeCode, frames] of WRONG) {
  stack.test(`closed with ${closeCode}: ${what}`, async () => {
    const raw = await open();
    raw.send(...frames());
    await raw.ended();
    assert.equal(raw.closeCode, closeCode);
  });
}

stack.test('closed with 1009: a header that announces 2 GB, for which nothing is allocated', async () => {
  const raw = await open();
  await signIn(raw, 'giant');
  const before = { size: memory('VmSize'), resident: memory('VmRSS') };
  raw.send(frame(TEXT, '4', { announce: 2 * GIB }));
  await raw.ended();
  assert.equal(raw.closeCode, 1009);
  assert.ok(memory('VmSize') - before.size < GIB / 4, 'no address space was taken');
  assert.ok(memory('VmRSS') - before.resident < GIB / 16, 'no memory was touched');
});

stack.test('closed with 1009: many headers that announce 2 GB at once', async () => {
  const before = memory('VmSize');
  const sockets = await Promise.all(Array.from({ length: 50 }, () => open()));
  for (const raw of sockets) raw.send(frame(BINARY, '', { announce: 2 * GIB }));
  for (const raw of sockets) await raw.ended();
  assert.deepEqual([...new Set(sockets.map((raw) => raw.closeCode))], [1009]);
  assert.ok(memory('VmSize') - before < GIB);
});

stack.test('a close frame is answered and ends the connection', async () => {
  const raw = await open();
  raw.send(frame(CLOSE, code(1000)));
  await raw.ended();
  assert.equal(raw.closeFrame, true);
});

stack.test('a ping is answered with its own bytes, also between two fragments', async () => {
  const raw = await open();
  raw.send(frame(PING, 'hello'));
  assert.equal(await raw.waitPong(), 'hello');
  const token = await stack.token('pieces');
  const connect = `40${JSON.stringify({ token })}`;
  raw.send(frame(TEXT, connect.slice(0, 7), { fin: false }), frame(PING, 'between'), frame(0, connect.slice(7)));
  await raw.waitText((text) => text.startsWith('40{"sid"'));
  assert.deepEqual(raw.pongs, ['hello', 'between']);
  raw.close();
});

stack.test('a frame that arrives byte by byte is one frame', async () => {
  const raw = await open();
  const bytes = frame(TEXT, `40${JSON.stringify({ token: await stack.token('drip') })}`);
  for (const byte of bytes) {
    raw.socket.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  await raw.waitText((text) => text.startsWith('40{"sid"'));
  raw.close();
});

stack.test('bytes sent before the 101 are answered 400', async () => {
  const early = frame(TEXT, `40${JSON.stringify({ token: await stack.token('early') })}`);
  const answer = await RawSocket.httpAnswer(edgeUrl(), { after: early });
  assert.match(answer, /^HTTP\/1\.1 400 /);
});

stack.test('bytes sent right after the 101 are not lost', async () => {
  const token = await stack.token('prompt');
  for (let i = 0; i < 50; i++) {
    const raw = new RawSocket(edgeUrl());
    raw.onHead = () => raw.sendText(`40${JSON.stringify({ token })}`);
    raw.request();
    await raw.waitText((text) => text.startsWith('40{"sid"'));
    raw.close();
  }
});

stack.test('the first subprotocol offered is chosen', async () => {
  const raw = await open({ headers: ['Sec-WebSocket-Protocol: wallet, other'] });
  assert.match(raw.head, /\r\nSec-WebSocket-Protocol: wallet\r\n/);
  raw.close();
});

for (const [what, packet] of [
  ['an unknown Engine.IO packet', '9'],
  ['an empty message', ''],
  ['an Engine.IO ping from a client', '2'],
  ['an event before CONNECT', '42["hello"]'],
  ['a CONNECT whose payload is an array', '40[]'],
  ['an event without a name', '42[]'],
  ['an event named like one of the library', '42["connect"]'],
  ['JSON deeper than 16', `42["x",${'['.repeat(40)}${']'.repeat(40)}]`],
  ['broken JSON', '42["x",'],
]) {
  stack.test(`closed as a parse error: ${what}`, async () => {
    const raw = await open();
    if (packet.startsWith('42') && !packet.includes('hello')) await signIn(raw, 'parser');
    raw.sendText(packet);
    await raw.ended();
    assert.equal(raw.closeFrame, true);
    assert.equal(raw.closeCode, undefined, 'an empty close frame: the client comes back');
  });
}

stack.test('an Engine.IO close packet closes at once', async () => {
  const raw = await open();
  raw.sendText('1');
  await raw.ended();
});

stack.test('after all of this the edge is the same process and serves', async () => {
  const { pid } = stack.edge(0);
  const client = await stack.connect('survivor');
  await stack.publish([{ id: 'survivor-1', userIds: ['survivor'], kyc: { status: 'approved', level: '1', message: '' } }]);
  await client.waitFor('kyc:update');
  assert.equal(stack.edge(0).pid, pid);
  assert.doesNotMatch(stack.log('edge-1'), /panic|assert/i);
});
