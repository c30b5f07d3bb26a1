// What clients leave behind: half requests, polls and upgrades without an end, handshakes by the thousand. After
// all of it an edge holds as many sessions, requests and descriptors as before, and no more memory.
//
// Memory: resident size, compared between two equal rounds, since the first one fills what is kept for use again
// (arenas, queues, threads' caches). ASan keeps freed memory for a while in order to notice its use, by default
// 256 MB of it, which would hide as well as feign growth; here it keeps 1 MB. ThreadSanitizer's own memory depends
// on what was touched at all, so under it memory is not compared.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after } from 'node:test';
import net from 'node:net';
import { HttpExchange } from '../conformance/wire.mjs';
import { LONG, PRESET, until, useStack } from './harness.mjs';
import { PollingClient, webSocket } from './rawpolling.mjs';

const HANDSHAKES = LONG ? 100_000 : 20_000;
const AT_ONCE = 200;
const EACH = 60; // of what is left behind otherwise, a round
const MIB = 1024 * 1024;
const MARGIN = 8 * MIB; // a session and its connection that stay, of every handshake, are more

const stack = useStack({
  edges: 2,
  env: {
    WW_PING_INTERVAL: '2s',
    WW_PING_TIMEOUT: '2s',
    WW_CONNECT_TIMEOUT: '3s',
    WW_REQUEST_TIMEOUT: '1s',
    WW_BODY_TIMEOUT: '1s',
    WW_UPGRADE_TIMEOUT: '3s',
    WW_ATTACHMENT_TIMEOUT: '1s',
    WW_MAX_USER_SOCKETS: '1000', // four users leave everything behind
    WW_ASAN_OPTIONS: 'quarantine_size_mb=1:thread_local_quarantine_size_kb=64',
  },
});

const ports = () => stack.status().edges.map((edge) => Number(new URL(edge.http).port));
const descriptors = (at) => readdirSync(`/proc/${stack.edge(at).pid}/fd`).length;
const resident = (at) => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${stack.edge(at).pid}/status`, 'utf8'))[1]) * 1024;
const both = (fn) => Promise.all([0, 1].map(fn));
const gauge = (name) => both((at) => stack.metric(stack.edge(at).admin, name));
const isZero = (values) => values.every((value) => value === 0);

// What a test keeps open until it has seen that the edge has let go of it.
const open = new Set();
const kept = (thing) => {
  open.add(thing);
  return thing;
};

function closeAll() {
  for (const thing of open) (thing.abort ?? thing.close ?? thing.destroy).call(thing);
  open.clear();
}
after(closeAll);

// Runs `fn(number)` for 0..count-1, so many at once.
async function pool(count, atOnce, fn) {
  let next = 0;
  const worker = async () => {
    while (next < count) await fn(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

let idle; // descriptors of each edge while nothing is connected

// Until both edges are as they were, of their own accord: nothing is closed from this side.
async function forgotten() {
  await until('no session is left', async () => isZero(await gauge('ww_edge_sockets')), 60_000);
  await until('no request is left', async () => isZero(await gauge('ww_edge_http_requests')), 60_000);
  await until('no descriptor is left', async () => [0, 1].every((at) => descriptors(at) <= idle[at]), 60_000);
}

const session = () => PollingClient.open(ports(), 0);
const signedIn = (n) => PollingClient.connected(ports(), stack.sign(`gone-${n}`));

// Each leaves something at edge 0, or at edge 1 for a session of edge 0, and keeps its side of the connection open.
const LEFTOVERS = {
  'polls that nobody reads the answer of': async (n) => {
    const client = await session();
    kept(client.park(n % 2));
  },
  'polls of a socket that is signed in': async (n) => {
    const client = await signedIn(n % 4);
    kept(client.park(n % 2));
  },
  'sessions that are never polled again': session,
  'WebSockets with a session id that never probe': async (n) => {
    const client = await session();
    await kept(client.webSocket(n % 2)).opened();
  },
  'WebSockets that probe and never switch': async (n) => {
    const client = await session();
    kept(await client.probe(n % 2));
  },
  'WebSockets that moved the session and fall silent': async (n) => {
    const client = await signedIn(n % 4);
    const socket = kept(await client.probe(n % 2));
    socket.answerPings = false;
    socket.sendText('5');
  },
  'WebSockets that answer no ping and no close frame': async (n) => {
    const socket = kept(webSocket(ports(), n % 2, undefined, { answerPings: false }));
    await socket.opened();
  },
  'attachments that are announced and never sent': async (n) => {
    const client = await signedIn(n % 4);
    await client.post(n % 2, '451-["notifications:unread",{"a":{"_placeholder":true,"num":0}}]');
  },
  'attachments that are announced on a WebSocket': async (n) => {
    const client = await signedIn(n % 4);
    const socket = kept(await client.upgrade(n % 2));
    socket.sendText('452-["notifications:unread",{"a":{"_placeholder":true,"num":0},"b":{"_placeholder":true,"num":1}}]');
  },
  'POSTs with half a body': async (n) => {
    const client = await session();
    kept(new HttpExchange(ports()[n % 2], { method: 'POST', target: `/socket.io/?EIO=4&transport=polling&sid=${client.sid}`, body: '42["half', length: 100 }));
  },
  'POSTs in chunks without a last one': async (n) => {
    const client = await session();
    kept(
      new HttpExchange(ports()[n % 2], {
        method: 'POST',
        target: `/socket.io/?EIO=4&transport=polling&sid=${client.sid}`,
        headers: { 'Transfer-Encoding': 'chunked' },
        body: '3\r\n42[\r\n',
      }),
    );
  },
  'heads without an end': async (n) => {
    const socket = kept(net.connect({ host: '127.0.0.1', port: ports()[n % 2], noDelay: true }));
    socket.on('error', () => {});
    socket.write('GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n');
  },
};

/* ---- handshakes that are dropped midway ---- */

const GET = 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n';
const REST = 'Host: x\r\n\r\n';

// Sends `text` on a connection of its own and drops it: at once, or when an answer has begun.
function dropped(port, text, waits) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true }, () => {
      socket.write(text, () => {
        if (!waits) socket.destroy();
      });
    });
    socket.on('data', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', resolve);
  });
}

// A third each: after the first line of the head; right behind the whole head; with the open packet, which is
// where a session begins that nobody will ever poll.
const MIDWAY = [
  (port) => dropped(port, GET, false),
  (port) => dropped(port, GET + REST, false),
  (port) => dropped(port, GET + REST, true),
];

const storm = (count) => pool(count, AT_ONCE, (n) => MIDWAY[n % MIDWAY.length](ports()[0]));

/* ---- all of it ---- */

const leave = (what, count = EACH) => pool(what.startsWith('heads') ? 16 : count, 10, LEFTOVERS[what]);

// Everything, until it is forgotten: the resident size of both edges.
async function round() {
  await Promise.all(Object.keys(LEFTOVERS).map((what) => leave(what)));
  await storm(HANDSHAKES / 2);
  await forgotten();
  closeAll();
  return both(resident);
}

const mib = (sizes) => sizes.map((bytes) => (bytes / MIB).toFixed(1)).join(' and ');
const REASONS = ['connect_timeout', 'ping_timeout', 'attachment_timeout', 'client_gone'];
const closes = () => Promise.all(REASONS.map((reason) => stack.metric(stack.edge(0).admin, 'ww_edge_closes_total', `reason="${reason}"`)));

stack.test(`${HANDSHAKES} handshakes dropped midway, among all that clients leave behind, are let go of in time`, async (t) => {
  idle = await both(descriptors);
  const start = await both(resident);
  const first = await round();
  const second = await round();
  const handshakes = await stack.metric(stack.edge(0).admin, 'ww_edge_handshakes_total');
  t.diagnostic(`${handshakes} sessions; resident ${mib(start)} MiB before, ${mib(first)} after one round, ${mib(second)} after two`);
  t.diagnostic(`descriptors ${idle} before, ${await both(descriptors)} after; closed: ${REASONS} ${await closes()}`);
  assert.ok(handshakes >= HANDSHAKES / 4, `${handshakes} sessions began`);
  for (const [i, count] of (await closes()).entries()) assert.ok(count >= EACH, `${count} ended by ${REASONS[i]}`);
  if (PRESET !== 'tsan') assert.ok(second.every((bytes, at) => bytes - first[at] < MARGIN), `${mib(first)} MiB, then ${mib(second)}`);
});

// Which one it is, should the test above fail.
for (const what of LONG ? Object.keys(LEFTOVERS) : []) {
  stack.test(`let go of in time: ${what}`, async () => {
    await leave(what);
    await forgotten();
    closeAll();
  });
}

stack.test('after all of this both edges are the same processes and serve', async () => {
  const pids = stack.status().edges.map((edge) => edge.pid);
  for (const at of [0, 1]) {
    const client = await stack.connect('survivor', { at, transports: ['polling'] });
    await stack.publish([{ id: `survivor-${at}`, userIds: ['survivor'], kyc: { status: 'approved', level: String(at), message: '' } }]);
    await client.waitFor('kyc:update', (data) => data.level === String(at));
  }
  assert.deepEqual(stack.status().edges.map((edge) => edge.pid), pids);
});
