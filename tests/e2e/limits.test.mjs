// What is bounded, met on purpose: each limit has its error and its counter, and whoever keeps to them notices
// nothing. Attackers come from other addresses of this machine than everybody else.

import assert from 'node:assert/strict';
import net from 'node:net';
import { request, until, useStack } from './harness.mjs';
import { frame, PING, RawSocket, TEXT } from './raw.mjs';
import { PollingClient } from './rawpolling.mjs';

const FRIEND = '127.0.0.1'; // exempt, and trusted as a proxy, which HAProxy is
const NETWORK = `${FRIEND}/32`;

const CHANNELS = 10;
const EVENT_BURST = 40;
const STATUS_BURST = 10;

const stack = useStack({
  edges: 1,
  env: {
    WW_TRUSTED_PROXIES: NETWORK,
    WW_EXEMPT_NETWORKS: NETWORK,
    WW_SESSION_RATE: '1',
    WW_SESSION_BURST: '5',
    WW_MAX_CHANNELS: String(CHANNELS),
    WW_MAX_SOCKETS: '200',
    WW_REQUEST_TIMEOUT: '2s',
    WW_BODY_TIMEOUT: '2s',
    WW_UPGRADE_TIMEOUT: '2s',
  },
});

const edgeUrl = () => stack.edge(0).http;
const proxyUrl = () => stack.url('http');
const metric = (name, label) => stack.metric(stack.edge(0).admin, name, label);

const sequence = (count) => Array.from({ length: count }, (_, i) => i + 1);
const connectPacket = (user) => `40${JSON.stringify({ token: stack.sign(user) })}`;

let friends = 0;

// Somebody who is served while `attack` runs: whatever is published meanwhile arrives, in order.
async function meanwhile(attack) {
  const user = `friend-${++friends}`;
  const friend = await stack.connect(user);
  let isOver = false;
  const attacking = attack().finally(() => (isOver = true));
  let count = 0;
  do {
    const level = String(++count);
    await stack.publish([{ id: `${user}-${level}`, userIds: [user], kyc: { status: 'approved', level, message: '' } }]);
    await friend.waitFor('kyc:update', (data) => data.level === level);
  } while (!isOver);
  await attacking;
  assert.deepEqual(friend.items().map((item) => Number(item.level)), sequence(count));
  assert.equal((await friend.ask('notifications:unread')).ok, true);
  assert.deepEqual(friend.disconnects, []);
}

let addresses = 1;
const freshAddress = () => `127.0.0.${++addresses}`;

/* ---- new sessions of an address ---- */

const refusals = () => metric('ww_edge_handshakes_refused_total', 'reason="rate_limited"');
const handshake = (url, from, headers = {}) => request(`${url}/socket.io/?EIO=4&transport=polling`, { from, headers });

// Until one is refused: that answer, and those before it.
async function exhaust(url, from, headers) {
  const taken = [];
  const refused = await until(`${from} is refused`, async () => {
    const answer = await handshake(url, from, headers?.(taken.length));
    if (answer.status === 429) return answer;
    assert.equal(answer.status, 200, answer.body);
    taken.push(answer);
    return undefined;
  });
  return { taken, refused };
}

stack.test('what all friends would be told of has a rate of its own, and costs nothing else', async () => {
  const client = await stack.connect('moody');
  const before = await refusedEvents('status');
  const toggle = (n) => (n % 2 ? client.ask('presence:set', { status: 'away' }) : client.ask('presence:privacy', { visible: n % 4 === 0 }));
  const answers = await Promise.all(sequence(2 * STATUS_BURST).map(toggle));
  const refused = answers.filter((answer) => !answer.ok);
  assert.ok(refused.length > 0 && refused.length <= STATUS_BURST, `${refused.length} were refused`);
  for (const { error } of refused) {
    assert.equal(error.code, 'rate_limited');
    assert.ok(error.retryAfterMs >= 1 && error.retryAfterMs <= 1000, `${error.retryAfterMs}`);
  }
  assert.equal(await refusedEvents('status'), before + refused.length);
  assert.deepEqual((await client.ask('presence:get', { userIds: ['bob'] })).users, []);
  await until('it is let through again', async () => (await client.ask('presence:set', { status: 'online' })).ok);
  assert.deepEqual(client.disconnects, []);
});

for (const [where, url] of [
  ['at an edge', edgeUrl],
  ['through HAProxy', proxyUrl],
]) {
  stack.test(`an address that begins too many sessions is told to wait, and nobody else is: ${where}`, async () => {
    const [from, before] = [freshAddress(), await refusals()];
    const { taken, refused } = await exhaust(url(), from);
    assert.ok(taken.length >= 5, `${taken.length} were let in`);
    assert.ok(Number(refused.headers['retry-after']) >= 1, refused.headers['retry-after']);
    assert.equal(refused.headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(refused.body), { code: 6, message: 'Too many requests' });
    assert.equal(await refusals(), before + 1);
    assert.equal((await handshake(url(), freshAddress())).status, 200);
    assert.equal((await handshake(url(), FRIEND)).status, 200, 'who is exempt');
  });

  stack.test(`another address in X-Forwarded-For is no other address: ${where}`, async () => {
    const from = freshAddress();
    const claims = (n) => ({ 'X-Forwarded-For': `198.51.100.${n}, ${FRIEND}`, Forwarded: `for=198.51.100.${n}` });
    const { taken } = await exhaust(url(), from, claims);
    assert.ok(taken.length < 50, `${taken.length} were let in`);
    assert.equal((await handshake(url(), from, { 'X-Forwarded-For': FRIEND })).status, 429);
  });

  stack.test(`requests of a session are not counted: ${where}`, async () => {
    const from = freshAddress();
    const { taken } = await exhaust(url(), from);
    const { sid } = JSON.parse(taken[0].body.slice(1));
    const target = `${url()}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    const { status, body } = await request(target, { from, method: 'POST', body: '40{"token":"none"}' });
    assert.deepEqual([status, body], [200, 'ok']);
    assert.match((await request(target, { from })).body, /^44\{"message"/);
  });
}

stack.test('a refused WebSocket is told the same', async () => {
  const from = freshAddress();
  await exhaust(edgeUrl(), from);
  const headers = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'x'.repeat(22) + '==' };
  const answer = await request(`${edgeUrl()}/socket.io/?EIO=4&transport=websocket`, { from, headers });
  assert.deepEqual([answer.status, answer.body], [429, 'Too many requests']);
  assert.ok(Number(answer.headers['retry-after']) >= 1);
});

stack.test('what a trusted proxy says of its clients is believed, each by its own', async () => {
  const of = (address) => () => ({ 'X-Forwarded-For': address });
  const { taken } = await exhaust(edgeUrl(), FRIEND, of('203.0.113.1'));
  assert.ok(taken.length >= 5);
  assert.equal((await handshake(edgeUrl(), FRIEND, of('203.0.113.2')())).status, 200);
  await exhaust(edgeUrl(), FRIEND, (n) => ({ 'X-Forwarded-For': `2001:db8::${n + 1}` }));
  assert.equal((await handshake(edgeUrl(), FRIEND, of('2001:db8:0:1::1')())).status, 200, 'another /64');
});

/* ---- events ---- */

const closes = (reason) => metric('ww_edge_closes_total', `reason="${reason}"`);
const refusedEvents = (reason) => metric('ww_edge_events_refused_total', `reason="${reason}"`);

async function signedIn(url, user) {
  const raw = await RawSocket.upgrade(url);
  raw.sendText(connectPacket(user));
  await raw.waitText((text) => text.startsWith('40{"sid"'));
  return raw;
}

// HAProxy may drop what it has not passed on yet when the client still sends to an edge that has closed.
function assertClosed(raw, url, code) {
  if (url === proxyUrl && !raw.closeFrame) return;
  assert.deepEqual([raw.closeFrame, raw.closeCode], [true, code]);
}

stack.test('an event over the rate is refused, nothing is done, and the next one in time is not', async () => {
  const client = await stack.connect('eager');
  const before = await refusedEvents('rate');
  const answers = await Promise.all(sequence(4 * EVENT_BURST).map(() => client.ask('transfer:untrack', { transferId: 'none' })));
  const refused = answers.filter((answer) => !answer.ok);
  assert.ok(refused.length > 0 && refused.length <= 3 * EVENT_BURST, `${refused.length} were refused`);
  for (const { error } of refused) {
    assert.equal(error.code, 'rate_limited');
    assert.ok(error.retryAfterMs >= 1 && error.retryAfterMs <= 50, `${error.retryAfterMs}`);
  }
  assert.equal(await refusedEvents('rate'), before + refused.length);
  await until('it is let through again', async () => (await client.ask('transfer:untrack', { transferId: 'none' })).ok);
  assert.deepEqual(client.disconnects, []);
});

for (const [where, url] of [
  ['at an edge', edgeUrl],
  ['through HAProxy', proxyUrl],
]) {
  stack.test(`who goes on regardless is closed, and nobody else notices: ${where}`, async () => {
    const before = await closes('rate_limited');
    await meanwhile(async () => {
      const raw = await signedIn(url(), 'flooder');
      const packets = sequence(100).map((n) => frame(TEXT, `42${n}["notifications:list",{"limit":100}]`));
      while (!raw.isEnded) {
        raw.send(...packets);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(raw.texts.some((text) => text.includes('"code":"rate_limited"')), 'it was told before');
      assertClosed(raw, url);
    });
    assert.equal(await closes('rate_limited'), before + 1);
  });
}

stack.test('who floods with pings is closed, however fast the pongs are read', async () => {
  const before = await closes('rate_limited');
  await meanwhile(async () => {
    const raw = await signedIn(edgeUrl(), 'pinger');
    while (!raw.isEnded) {
      raw.send(...sequence(100).map((n) => frame(PING, `${n}`)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(raw.pongs.length > 100, 'some were answered');
  });
  assert.equal(await closes('rate_limited'), before + 1);
});

stack.test('questions that wait for a service are bounded', async () => {
  const client = await stack.connect('curious');
  const before = await refusedEvents('calls');
  const answers = await stack.frozen('notifications', async () => {
    const asked = sequence(EVENT_BURST).map(() => client.ask('notifications:unread'));
    await until('some are refused', async () => (await refusedEvents('calls')) > before);
    return asked;
  });
  const refused = (await Promise.all(answers)).filter((answer) => !answer.ok);
  assert.ok(refused.length >= 1 && refused.length <= EVENT_BURST - 32, `${refused.length} were refused`);
  assert.ok(refused.every(({ error }) => error.code === 'rate_limited'));
});

stack.test('channels of a socket are bounded, and one that is left makes room', async () => {
  const client = await stack.connect('collector');
  const before = await refusedEvents('channels');
  const answers = await Promise.all(sequence(CHANNELS).map((n) => client.ask('transfer:track', { transferId: `t-${n}` })));
  assert.deepEqual(answers.map((answer) => answer.error?.code), sequence(CHANNELS).map((n) => (n <= CHANNELS - 3 ? undefined : 'rate_limited')));
  assert.equal(await refusedEvents('channels'), before + 3);
  assert.equal((await client.ask('transfer:untrack', { transferId: 't-1' })).ok, true);
  assert.equal((await client.ask('subscribe', { channel: 'transfer:t-again' })).error?.code, undefined);
});

stack.test('text in an event is bounded', async () => {
  const client = await stack.connect('verbose');
  const before = await refusedEvents('invalid');
  const { ok, error } = await client.ask('notifications:list', { before: 'x'.repeat(4001) });
  assert.deepEqual([ok, error.code, error.field], [false, 'invalid', 'before']);
  assert.equal(await refusedEvents('invalid'), before + 1);
});

/* ---- sockets of a user ---- */

const USER_SOCKETS = 20;
const crowded = () => metric('ww_edge_connect_refusals_total', 'reason="too_many_sockets"');
const TOO_MANY = '44{"message":"too many sockets of this user are open","data":{"code":"too_many_sockets"}}';

// A WebSocket that has asked to join, and what it was told: [socket, text].
async function joining(user, auth = {}, namespace = '') {
  const raw = await RawSocket.upgrade(edgeUrl());
  raw.sendText(`40${namespace}${JSON.stringify({ token: stack.sign(user, auth.claims), ...auth })}`);
  return [raw, await raw.waitText((text) => text.startsWith('40') || text.startsWith('44'))];
}

const isIn = ([, text]) => text.startsWith('40');
const closeAll = (joined) => joined.forEach(([raw]) => raw.close());

// Has left its namespace, and the edge knows it.
async function left(raw) {
  raw.sendText('41');
  raw.send(frame(PING, 'read'));
  await raw.waitPong();
}

stack.test('a user has so many sockets and no more, however many ask at once', async () => {
  const before = await crowded();
  const asked = await Promise.all(sequence(2 * USER_SOCKETS).map(() => joining('many')));
  assert.equal(asked.filter(isIn).length, USER_SOCKETS);
  const refused = asked.filter((one) => !isIn(one));
  assert.deepEqual(new Set(refused.map(([, text]) => text)), new Set([TOO_MANY]));
  assert.equal(await crowded(), before + USER_SOCKETS);
  assert.ok(isIn(await joining('somebody-else')));

  await left(asked.find(isIn)[0]);
  const [raw] = refused[0];
  raw.sendText(connectPacket('many'));
  await raw.waitText((text) => text.startsWith('40{"sid"'));
  closeAll(asked);
});

stack.test('sockets of all namespaces count, and those that have gone do not', async () => {
  const claims = { role: 'ops' };
  for (const round of sequence(3)) {
    const asked = await until(`room in round ${round}`, async () => {
      const some = await Promise.all(sequence(USER_SOCKETS).map((n) => joining('operator', { claims }, n % 2 ? '/ops,' : '')));
      if (some.every(isIn)) return some;
      closeAll(some);
      return undefined;
    });
    assert.equal(isIn(await joining('operator')), false);
    assert.equal(isIn(await joining('operator', { claims }, '/ops,')), false);
    closeAll(asked);
  }
});

stack.test('a client that recovers takes the place of its older self', async () => {
  const joined = await Promise.all(sequence(USER_SOCKETS).map(() => joining('returning')));
  assert.ok(joined.every(isIn));
  const [older, text] = joined[0];
  const { sid, pid } = JSON.parse(text.slice(2));
  const [newer, answer] = await joining('returning', { pid });
  assert.equal(JSON.parse(answer.slice(2)).sid, sid);
  await older.ended();
  assert.equal(isIn(await joining('returning')), false, 'it counts once');
  newer.close();
  const fresh = await until('room', async () => {
    const one = await joining('returning');
    return isIn(one) && one;
  });
  closeAll([...joined, fresh]);
});

stack.test('the pid of a socket that has gone brings nobody in', async () => {
  const joined = await Promise.all(sequence(USER_SOCKETS).map(() => joining('clever')));
  const [[gone, text], ...others] = joined;
  await left(gone);
  const last = await joining('clever');
  assert.ok(isIn(last));
  assert.equal((await joining('clever', { pid: JSON.parse(text.slice(2)).pid }))[1], TOO_MANY);
  closeAll([...others, last]);
});

/* ---- connections, heads, bodies, frames ---- */

const refusedFor = (reason) => metric('ww_edge_handshakes_refused_total', `reason="${reason}"`);
const portOf = (url) => Number(new URL(url).port);

// A connection that sends `head` at once and then a byte of `rest` now and then, for as long as it is let.
class Drip {
  constructor(url, head, rest = 'x') {
    this.answer = '';
    this.isEnded = false;
    this.socket = net.connect({ host: '127.0.0.1', port: portOf(url), noDelay: true });
    this.socket.setEncoding('latin1').on('data', (text) => (this.answer += text));
    this.socket.on('error', () => {});
    this.socket.on('close', () => this.#end());
    this.socket.write(head);
    this.timer = setInterval(() => this.socket.write(rest), 100);
  }

  #end() {
    clearInterval(this.timer);
    this.isEnded = true;
  }
}

const allEnded = (drips) => until('all of them are ended by the server', () => drips.every((drip) => drip.isEnded), 60_000);
const HEAD = 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nX-Slow: ';
const slowHeads = (url, count) => sequence(count).map((n) => new Drip(url, n % 4 ? HEAD : '', n % 4 ? 'x' : ''));

async function slowBodies(url, count) {
  const clients = await Promise.all(sequence(count).map(() => PollingClient.open([portOf(url)])));
  return clients.map(({ sid }) => new Drip(url, `POST /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n4`));
}

stack.test('heads that come slowly, or never: at an edge they are cut, and who is connected notices nothing', async () => {
  const before = await metric('ww_edge_heads_refused_total');
  await meanwhile(async () => {
    const drips = slowHeads(edgeUrl(), 20);
    await allEnded(drips);
    assert.ok(drips.every((drip) => !drip.answer.startsWith('HTTP/1.1 2')));
  });
  assert.ok((await metric('ww_edge_heads_refused_total')) > before);
  assert.equal((await handshake(edgeUrl(), FRIEND)).status, 200, 'and others come in again');
});

stack.test('bodies that come slowly: at an edge they are answered 408, and others are served', async () => {
  const before = await refusedFor('body_timeout');
  await meanwhile(async () => {
    const drips = await slowBodies(edgeUrl(), 40);
    assert.equal((await handshake(edgeUrl(), FRIEND)).status, 200);
    await allEnded(drips);
    assert.deepEqual(new Set(drips.map((drip) => drip.answer.slice(0, 12))), new Set(['HTTP/1.1 408']));
  });
  assert.equal(await refusedFor('body_timeout'), before + 40);
});

stack.test('slow heads and bodies through HAProxy reach no edge: newcomers are served at once', async () => {
  const [heads, bodies] = [await metric('ww_edge_heads_refused_total'), await refusedFor('body_timeout')];
  await meanwhile(async () => {
    const drips = [...slowHeads(proxyUrl(), 100), ...(await slowBodies(proxyUrl(), 40))];
    for (const n of sequence(20)) assert.equal((await handshake(proxyUrl(), FRIEND)).status, 200, `newcomer ${n}`);
    assert.ok(drips.every((drip) => !drip.isEnded), 'while all of them were there');
    await allEnded(drips);
    assert.ok(drips.every((drip) => ['', 'HTTP/1.1 408'].includes(drip.answer.slice(0, 12))));
  });
  assert.deepEqual([await metric('ww_edge_heads_refused_total'), await refusedFor('body_timeout')], [heads, bodies]);
});

for (const [where, url] of [
  ['at an edge', edgeUrl],
  ['through HAProxy', proxyUrl],
]) {
  stack.test(`heads of a thousand lines, or of 20 KB, are refused: ${where}`, async () => {
    const start = 'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n';
    const before = await metric('ww_edge_heads_refused_total');
    await meanwhile(async () => {
      const drips = sequence(100).map((n) => new Drip(url(), `${start}${n % 2 ? 'X-A: b\r\n'.repeat(1000) : `X-A: ${'b'.repeat(20_000)}\r\n`}\r\n`, ''));
      await allEnded(drips);
      assert.ok(drips.every((drip) => /^(HTTP\/1.[01] 4|$)/.test(drip.answer)), `${drips.map((drip) => drip.answer.slice(0, 12))}`);
    });
    if (url === edgeUrl) assert.ok((await metric('ww_edge_heads_refused_total')) > before);
  });

  stack.test(`one connection too many is answered 503, and those who have one notice nothing: ${where}`, async () => {
    const before = await refusedFor('full');
    const sockets = [];
    await meanwhile(async () => {
      await until('it is full', async () => {
        const some = await Promise.allSettled(sequence(20).map(() => RawSocket.upgrade(url())));
        sockets.push(...some.filter(({ status }) => status === 'fulfilled').map(({ value }) => value));
        return some.some(({ reason }) => /HTTP\/1.1 503/.test(reason?.message));
      });
      assert.equal((await handshake(url(), FRIEND)).status, 503);
    });
    assert.ok((await refusedFor('full')) > before);
    assert.ok(sockets.length <= 200, `${sockets.length}`);
    for (const socket of sockets) socket.close();
    await until('there is room again', async () => (await handshake(url(), FRIEND)).status === 200);
  });

  for (const [what, piece] of [
    ['of a kilobyte', 'x'.repeat(1024)],
    ['of nothing', ''],
  ]) {
    stack.test(`a message that never ends, in fragments ${what}, is closed with 1009: ${where}`, async () => {
      const before = await closes('too_large');
      await meanwhile(async () => {
        const raw = await signedIn(url(), 'endless');
        raw.send(frame(TEXT, '42["', { fin: false }));
        const more = sequence(50).map(() => frame(0, piece, { fin: false }));
        while (!raw.isEnded) {
          raw.send(...more);
          await new Promise((resolve) => setImmediate(resolve));
        }
        assertClosed(raw, url, 1009);
      });
      assert.equal(await closes('too_large'), before + 1);
    });
  }

  stack.test(`a WebSocket that probes and goes no further is closed, and polling goes on: ${where}`, async () => {
    const before = await metric('ww_edge_upgrades_late_total');
    const client = await PollingClient.connected([portOf(url())], stack.sign('undecided'));
    const socket = await client.probe(0);
    await until('it is closed', () => socket.isEnded);
    assert.equal(await metric('ww_edge_upgrades_late_total'), before + 1);
    await client.post(0, '421["notifications:unread"]');
    await client.until(0, (packet) => packet.startsWith('431[{"ok":true'));
  });

  stack.test(`a body that is too large is answered 413, and its session lives on: ${where}`, async () => {
    const before = await refusedFor('body_too_large');
    const client = await PollingClient.connected([portOf(url())], stack.sign('wordy'));
    const { status } = await client.post(0, `42["x","${'x'.repeat(1_000_000)}"]`);
    assert.equal(status, 413);
    assert.equal(await refusedFor('body_too_large'), before + 1);
    assert.deepEqual(await client.post(0, '421["notifications:unread"]'), { status: 200, body: 'ok' });
    await client.until(0, (packet) => packet.startsWith('431[{"ok":true'));
  });

  stack.test(`a POST of a thousand events is answered, refused and the end of its session: ${where}`, async () => {
    const before = await closes('rate_limited');
    await meanwhile(async () => {
      const client = await PollingClient.connected([portOf(url())], stack.sign('poster'));
      const { status } = await client.post(0, ...sequence(1000).map((n) => `42${n}["transfer:untrack",{"transferId":"none"}]`));
      assert.equal(status, 200);
      await client.until(0, (packet) => packet === '1');
      assert.ok(client.packets.some((packet) => packet.includes('"code":"rate_limited"')));
    });
    assert.equal(await closes('rate_limited'), before + 1);
  });
}
