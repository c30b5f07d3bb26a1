// Requests that land on another edge than their session, byte by byte: what is relayed, what is refused, what
// happens when either edge stands still or dies, and sessions that move with their WebSocket.

import assert from 'node:assert/strict';
import { Proxy } from './proxy.mjs';
import { kyc, request, until, useStack } from './harness.mjs';
import { answerOf, ask, exchange, frameLike, PollingClient, webSocket } from './rawpolling.mjs';
import { BINARY, frame, PING, TEXT } from './raw.mjs';

const RANDOM = 'A'.repeat(20);
const KIB = 1024;
const UNKNOWN = { status: 400, body: '{"code":1,"message":"Session ID unknown"}' };
const BAD_REQUEST = { status: 400, body: '{"code":3,"message":"Bad request"}' };

const stack = useStack({ edges: 2, env: { WW_PING_INTERVAL: '3s', WW_PING_TIMEOUT: '3s' } });

const HERE = 0; // the edge that has the session
const AWAY = 1; // the other one

const ports = () => stack.status().edges.map((edge) => Number(new URL(edge.http).port));
const metric = (at, name, label) => stack.metric(stack.edge(at).admin, name, label);
const sequence = (count) => Array.from({ length: count }, (_, i) => i + 1);

// A session at HERE, signed in through AWAY.
const signedIn = (user) => PollingClient.connected(ports(), stack.sign(user), { from: HERE, at: AWAY });

// The levels of the kyc:update events among packets of the default encoding.
const levels = (packets) =>
  packets.filter((packet) => typeof packet === 'string' && packet.startsWith('42["kyc:update"')).map((packet) => Number(JSON.parse(packet.slice(2))[1].level));

const ackOf = (id) => (packet) => packet.startsWith(`43${id}[`);
const answerIn = (packet) => JSON.parse(packet.slice(packet.indexOf('[')))[0];

async function assertUnknown(at, sid) {
  assert.deepEqual(await ask(ports(), at, { sid }), UNKNOWN, `GET ${sid}`);
  assert.deepEqual(await ask(ports(), at, { sid, method: 'POST', body: '2' }), UNKNOWN, `POST ${sid}`);
  const socket = webSocket(ports(), at, sid);
  const { status, body } = await socket.opened();
  assert.equal(status, 400, `upgrade ${sid}`);
  assert.match(body, /^Session ID unknown/);
  socket.close();
}

// One whose queue is empty: its next GET waits.
async function quiet(user) {
  const client = await signedIn(user);
  await client.until(AWAY, (packet) => packet.startsWith('42["notifications:unread"'));
  return client;
}

// A GET of its at edge `at`, after it has begun to wait.
async function parkedAt(client, at) {
  const waiting = () => (at === HERE ? metric(HERE, 'ww_edge_http_requests') : metric(HERE, 'ww_edge_relayed_total'));
  const before = await waiting();
  const parked = client.park(at);
  await until('it waits', async () => (await waiting()) > before);
  return parked;
}

const gone = (client, at = HERE) => until('the session has ended', async () => (await client.get(at)).body === UNKNOWN.body);

/* ---- at the wrong edge ---- */

stack.test('GET, POST and upgrade of a session are answered by any edge', async () => {
  const before = { relays: await metric(AWAY, 'ww_edge_relays_total'), relayed: await metric(HERE, 'ww_edge_relayed_total') };
  const client = await signedIn('wanderer');
  const parked = client.park(AWAY);
  await stack.publish([kyc('wanderer', 1)]);
  await client.take(AWAY, await answerOf(parked));
  await client.until(AWAY, (packet) => levels([packet])[0] === 1);
  const upgrades = await metric(AWAY, 'ww_edge_upgrades_total');
  const socket = await client.upgrade(AWAY);
  await stack.publish([kyc('wanderer', 2)]);
  await frameLike(socket, (text) => levels([text])[0] === 2);
  assert.deepEqual(levels(client.packets), [1]);
  assert.deepEqual(levels(socket.frames), [2]);
  assert.ok((await metric(AWAY, 'ww_edge_relays_total')) >= before.relays + 6, 'POST, two GETs, upgrade, probe, switch');
  assert.ok((await metric(HERE, 'ww_edge_relayed_total')) >= before.relayed + 6);
  assert.equal(await metric(AWAY, 'ww_edge_upgrades_total'), upgrades + 1);
  client.close();
});

stack.test('a GET waits at the one edge while a POST comes through the other', async () => {
  const client = await signedIn('both-ways');
  for (const [waits, posts] of [[HERE, AWAY], [AWAY, HERE], [AWAY, AWAY], [HERE, HERE]]) {
    const parked = client.park(waits);
    await client.post(posts, '425["notifications:unread",{}]');
    client.packets = [];
    await client.take(waits, await answerOf(parked));
    assert.equal(answerIn(await client.until(waits, ackOf(5))).ok, true);
  }
});

stack.test('a session that nobody has is unknown at any edge', async () => {
  const client = await PollingClient.open(ports(), HERE);
  const sid = `${client.sid.split('.')[0]}.${RANDOM}`;
  await assertUnknown(HERE, sid);
  await assertUnknown(AWAY, sid);
});

stack.test('a session of an edge that does not exist is unknown, and nobody waits for that edge', async () => {
  const timeouts = await metric(AWAY, 'ww_edge_relays_total', 'status="timeout"');
  await assertUnknown(AWAY, `edge-9-nobody.${RANDOM}`);
  assert.equal(await metric(AWAY, 'ww_edge_relays_total', 'status="timeout"'), timeouts, 'no time passed: there is nobody to ask');
});

const HOSTILE = ['*', '>', '*.*', `*.${RANDOM}`, `>.${RANDOM}`, `edge-1.*.${RANDOM}`, `ww.edge.edge-1.${RANDOM}`, `a b.${RANDOM}`, 'a%20b'];
const ESCAPED = [`%2A.${RANDOM}`, `%3E.${RANDOM}`, `a%20b.${RANDOM}`, `a%00b.${RANDOM}`, `%00`, `a%0D%0APUB.${RANDOM}`, `edge-1%2E%2A.${RANDOM}`, `${'e'.repeat(64)}.${RANDOM}`, `.${RANDOM}`, 'x.', '%ff%fe'];

stack.test('a session id that means something to NATS never reaches a subject', async () => {
  const relays = await metric(AWAY, 'ww_edge_relays_total');
  const relayed = await metric(HERE, 'ww_edge_relayed_total');
  const pids = stack.status().edges.map((edge) => edge.pid);
  for (const sid of [...HOSTILE.map((text) => text.replaceAll(' ', '%20')), ...ESCAPED]) await assertUnknown(AWAY, sid);
  assert.equal(await metric(AWAY, 'ww_edge_relays_total'), relays, 'nothing was asked');
  assert.equal(await metric(HERE, 'ww_edge_relayed_total'), relayed);
  assert.deepEqual(stack.status().edges.map((edge) => edge.pid), pids);
  for (const at of [HERE, AWAY]) assert.equal((await request(`${stack.edge(at).admin}/readyz`)).status, 200);
});

stack.test('an answer larger than 512 KiB is cut into several GETs, each packet whole and in order', async () => {
  const message = 'x'.repeat(400);
  const client = await signedIn('bulky');
  const payment = (n) => ({ id: `bulky-${n}`, userIds: ['bulky'], payment: { status: 'completed', amount: '1.00', currency: 'EUR', message } });
  await stack.publish(sequence(100).map(payment));
  await client.until(AWAY, (packet) => packet.startsWith('42["payment"') && packet.includes('"bulky-100"'));
  const queued = await metric(HERE, 'ww_edge_packets_out_total', 'class="control"');
  const ids = sequence(10);
  await client.post(AWAY, ...ids.map((id) => `42${id}["notifications:list",{"limit":100}]`));
  await until('every list waits', async () => (await metric(HERE, 'ww_edge_packets_out_total', 'class="control"')) >= queued + ids.length);
  client.packets = [];
  const sizes = [];
  for (let acks = 0; acks < ids.length; acks = client.packets.filter((packet) => packet.startsWith('43')).length) {
    const answer = await client.get(AWAY);
    sizes.push(Buffer.byteLength(answer.body));
    await client.take(AWAY, answer);
  }
  assert.ok(sizes[0] > 256 * KIB && sizes.every((size) => size <= 512 * KIB) && sizes[0] + sizes[1] > 512 * KIB, `${sizes} bytes`);
  const acks = client.packets.filter((packet) => packet.startsWith('43'));
  assert.deepEqual(acks.map((ack) => Number(/^43(\d+)/.exec(ack)[1])).sort((a, b) => a - b), ids);
  for (const ack of acks) assert.equal(answerIn(ack).items.length, 100);
});

/* ---- what ends a session ---- */

for (const [first, second] of [[HERE, AWAY], [AWAY, HERE], [AWAY, AWAY]]) {
  stack.test(`two polls at a time end the session: one at edge ${first + 1}, one at edge ${second + 1}`, async () => {
    const client = await quiet('hasty');
    const parked = await parkedAt(client, first);
    const refused = await client.get(second);
    assert.deepEqual(refused, { status: 400, body: '' });
    assert.deepEqual(await answerOf(parked), { status: 200, body: '1' });
    await assertUnknown(HERE, client.sid);
    await assertUnknown(AWAY, client.sid);
  });
}

stack.test('a poll that is given up at the wrong edge ends the session', async () => {
  const client = await quiet('leaver');
  const parked = await parkedAt(client, AWAY);
  const sockets = await metric(HERE, 'ww_edge_sockets');
  parked.abort();
  await until('the session has ended', async () => (await metric(HERE, 'ww_edge_sockets')) === sockets - 1);
  await assertUnknown(AWAY, client.sid);
});

stack.test('a POST that is given up at the wrong edge ends the session, since packets of it are lost', async () => {
  const client = await quiet('torn');
  const half = exchange(ports(), AWAY, { sid: client.sid, method: 'POST', body: '42["half', length: 100 });
  await until('it is read', async () => (await metric(AWAY, 'ww_edge_http_requests')) > 0);
  half.abort();
  await until('the session has ended', async () => (await client.post(HERE, '3')).body === UNKNOWN.body);
});

stack.test('a malformed POST at the wrong edge is answered 400 and ends the session', async () => {
  for (const [body, headers] of [['9', {}], ['', {}], ['42["x"]', { 'Content-Type': 'application/octet-stream' }]]) {
    const client = await signedIn('sloppy');
    assert.deepEqual(await ask(ports(), AWAY, { sid: client.sid, method: 'POST', body, headers }), { status: 400, body: '' });
    await gone(client, AWAY);
  }
});

stack.test('a close packet by POST at the wrong edge ends the session in order', async () => {
  const client = await quiet('polite');
  const parked = await parkedAt(client, AWAY);
  assert.deepEqual(await client.post(AWAY, '1'), { status: 200, body: 'ok' });
  assert.equal((await answerOf(parked)).status, 200);
  await gone(client, AWAY);
});

/* ---- an edge that stands still ---- */

stack.test('a session of an edge that stands still is unknown; it ends when the edge goes on, and nothing comes twice', async () => {
  const client = await quiet('sleeper');
  await stack.frozen('edge-1', async () => {
    await stack.publish([kyc('sleeper', 1)]);
    assert.deepEqual(await client.get(AWAY), UNKNOWN);
    assert.ok((await metric(AWAY, 'ww_edge_relays_total', 'status="timeout"')) > 0);
  });
  await gone(client, HERE);
  await gone(client, AWAY);
  const again = await signedIn('sleeper');
  await stack.publish([kyc('sleeper', 2)]);
  await again.until(AWAY, (packet) => levels([packet])[0] === 2);
  assert.deepEqual(levels([...client.packets, ...again.packets]), [2]);
});

stack.test('a POST that an edge takes only after it stood still is not sent again, and its session ends', async () => {
  const client = await signedIn('stuck');
  await stack.publish([kyc('stuck', 1)]);
  await client.until(AWAY, (packet) => levels([packet])[0] === 1);
  const events = await metric(HERE, 'ww_edge_events_in_total');
  await stack.frozen('edge-1', async () => {
    assert.deepEqual(await client.post(AWAY, '427["notifications:read",{"all":true}]'), UNKNOWN);
  });
  await gone(client, HERE);
  // Not at all, if the session ended before the edge came to it.
  assert.ok((await metric(HERE, 'ww_edge_events_in_total')) <= events + 1, 'applied once');
  assert.ok(!client.packets.some(ackOf(7)));
});

stack.test('an upgrade to a session of an edge that stands still is refused', async () => {
  const client = await signedIn('frozen-up');
  await stack.frozen('edge-1', async () => {
    const { status, body } = await client.webSocket(AWAY).opened();
    assert.equal(status, 400);
    assert.match(body, /^Session ID unknown/);
  });
  client.close();
});

stack.test('a stock client whose edge stands still recovers at another one: nothing lost, nothing twice', async () => {
  const proxy = await Proxy.start({ pick: (n) => stack.edge(n === 0 ? HERE : AWAY).http });
  try {
    const client = await stack.connect('stillness', { at: proxy.url, transports: ['polling'], reconnection: true, reconnectionDelay: 100, reconnectionDelayMax: 300 });
    await stack.publish([kyc('stillness', 1)]);
    await client.waitFor('kyc:update', (data) => data.level === '1');
    const { id: before } = client.socket.io.engine;
    await stack.frozen('edge-1', async () => {
      await stack.publish([kyc('stillness', 2)]);
      await until('it is back', () => client.socket.connected && client.socket.io.engine.id !== before);
      assert.ok(client.socket.recovered);
    });
    await stack.publish([kyc('stillness', 3)]);
    await client.waitFor('kyc:update', (data) => data.level === '3');
    assert.deepEqual(client.payloads('kyc:update').map((data) => data.level), ['1', '2', '3']);
  } finally {
    proxy.stop();
  }
});

/* ---- what is done once ---- */

stack.test('a command that is posted to the wrong edge is done once', async () => {
  const client = await signedIn('payer');
  await stack.publish(sequence(20).map((n) => kyc('payer', n)));
  await client.until(AWAY, (packet) => levels([packet])[0] === 20);
  const events = await metric(HERE, 'ww_edge_events_in_total');
  for (const n of sequence(20)) {
    assert.deepEqual(await client.post(n % 2, `42${n}["notifications:read",{"ids":["payer-${n}"]}]`), { status: 200, body: 'ok' });
    const answer = answerIn(await client.until((n + 1) % 2, ackOf(n)));
    assert.deepEqual(answer, { ok: true, changed: 1, unread: 20 - n });
  }
  assert.equal(await metric(HERE, 'ww_edge_events_in_total'), events + 20);
});

stack.test('a transfer that is tracked through the wrong edge is tracked once', async () => {
  const client = await signedIn('tracker');
  const transfer = (version) => ({ id: `tr-relay-${version}`, userIds: ['tracker'], transfer: { transferId: 'tr-relay', state: 'processing', progress: version, amount: '5.00', currency: 'EUR', message: '', version } });
  await stack.publish([transfer(1)]);
  await stack.verify('tracker');
  await client.post(AWAY, '421["transfer:track",{"transferId":"tr-relay"}]');
  assert.equal(answerIn(await client.until(AWAY, ackOf(1))).ok, true);
  await stack.publish([transfer(2), kyc('tracker', 1)]);
  await client.until(AWAY, (packet) => levels([packet])[0] === 1);
  const updates = client.packets.filter((packet) => packet.startsWith('42["transfer:update"'));
  assert.equal(updates.filter((packet) => packet.includes('"progress":2')).length, 1);
});

/* ---- a session that moves ---- */

stack.test('events before, during and after the move arrive once and in order', async () => {
  const COUNT = 300;
  const client = await signedIn('mover');
  const published = (async () => {
    for (let n = 1; n <= COUNT; n += 25) await stack.publish(sequence(25).map((i) => kyc('mover', n + i - 1)));
  })();
  await client.until(AWAY, (packet) => levels([packet])[0] >= 25);
  const socket = await client.probe(AWAY);
  await client.take(AWAY, await client.get(AWAY)); // answered at once, be it with a noop
  await client.take(HERE, await client.get(HERE));
  await until('some wait', async () => (await stack.verify('mover')).seq > Math.max(...levels(client.packets)) + 20);
  socket.sendText('5');
  await frameLike(socket, (text) => levels([text])[0] === COUNT);
  await published;
  assert.ok(levels(client.packets).length >= 25 && levels(socket.frames).length >= 20);
  assert.deepEqual([...levels(client.packets), ...levels(socket.frames)], sequence(COUNT));
  client.close();
});

stack.test('packets right behind "5" are taken by the edge that the session moves to, in order', async () => {
  const client = await signedIn('eager');
  const socket = await client.probe(AWAY);
  const leave = (id) => frame(TEXT, `42${id}["unsubscribe",{"channel":"balance:eager"}]`); // answered by the edge itself
  socket.send(frame(TEXT, '5'), ...sequence(10).map(leave));
  await frameLike(socket, ackOf(10));
  const acks = socket.frames.filter((text) => text.startsWith('43')).map((text) => Number(/^43(\d+)/.exec(text)[1]));
  assert.deepEqual(acks, sequence(10));
  client.close();
});

stack.test('a request that waits for a service when the session moves is answered on the WebSocket', async () => {
  const client = await signedIn('asker');
  const socket = await client.probe(AWAY);
  await stack.frozen('notifications', async () => {
    await client.post(AWAY, '428["notifications:list",{}]');
    socket.sendText('5');
    await stack.publish([kyc('asker', 1)]);
    await client.get(HERE); // a noop: the session is still here
    socket.sendText('429["unsubscribe",{"channel":"balance:asker"}]');
    await client.get(HERE);
    socket.send(frame(PING, 'x'));
    await client.get(HERE);
    assert.equal(socket.isClosed, false, 'what comes behind "5" waits for the move');
  });
  assert.equal(answerIn(await frameLike(socket, ackOf(8))).ok, true);
  assert.equal(answerIn(await frameLike(socket, ackOf(9))).ok, true);
  await frameLike(socket, (text) => levels([text])[0] === 1);
  client.close();
});

stack.test('a header that came by POST and its attachment on the WebSocket after the move are one event', async () => {
  const client = await signedIn('pieces');
  await client.post(AWAY, '452-3["notifications:unread",{"a":{"_placeholder":true,"num":0},"b":{"_placeholder":true,"num":1}}]');
  await client.post(AWAY, 'bAQID');
  const socket = await client.upgrade(AWAY);
  socket.send(frame(BINARY, Buffer.from([4, 5])));
  const { ok, error } = answerIn(await frameLike(socket, ackOf(3)));
  assert.deepEqual([ok, error.code], [false, 'invalid']);
  socket.sendText('424["notifications:unread",{}]');
  assert.equal(answerIn(await frameLike(socket, ackOf(4))).ok, true);
  client.close();
});

stack.test('what a socket has left or tracks moves with it', async () => {
  const client = await signedIn('baggage');
  const transfer = (version) => ({ id: `tr-bag-${version}`, userIds: ['baggage'], transfer: { transferId: 'tr-bag', state: 'processing', progress: version, amount: '5.00', currency: 'EUR', message: '', version } });
  await stack.publish([transfer(1)]);
  await stack.verify('baggage');
  await client.post(AWAY, '421["transfer:track",{"transferId":"tr-bag"}]', '422["unsubscribe",{"channel":"user:baggage"}]');
  await client.until(AWAY, ackOf(1));
  await client.until(AWAY, ackOf(2));
  const socket = await client.upgrade(AWAY);
  await stack.publish([kyc('baggage', 1), transfer(2)]);
  await frameLike(socket, (text) => text.startsWith('42["transfer:update"') && text.includes('"progress":2'));
  assert.deepEqual(levels([...client.packets, ...socket.frames]), [], 'the channel was left');
  client.close();
});

stack.test('a session that has moved is no longer on polling: code 3 at either edge', async () => {
  const client = await signedIn('moved');
  const socket = await client.upgrade(AWAY);
  for (const at of [HERE, AWAY]) {
    assert.deepEqual(await client.get(at), BAD_REQUEST);
    assert.deepEqual(await client.post(at, '3'), BAD_REQUEST);
    const { status } = await client.webSocket(at).opened();
    assert.equal(status, 400, 'nor can it be taken over');
  }
  socket.sendText('425["notifications:unread",{}]');
  await frameLike(socket, ackOf(5));
  client.close();
});

stack.test('a poll that waits at either edge when the session moves is let go', async () => {
  for (const at of [HERE, AWAY]) {
    const client = await quiet('waiting');
    const socket = client.webSocket(AWAY);
    await socket.opened();
    const parked = await parkedAt(client, at);
    socket.sendText('5');
    assert.deepEqual(await answerOf(parked), { status: 200, body: '6' });
    socket.sendText('429["notifications:unread",{}]');
    await frameLike(socket, ackOf(9));
    client.close();
  }
});

stack.test('a probe at the wrong edge that goes away leaves the session on polling, open to another', async () => {
  const client = await signedIn('undecided');
  const first = await client.probe(AWAY);
  const second = client.webSocket(HERE);
  assert.equal((await second.opened()).status, 400, 'one at a time');
  first.close();
  await until('another one is let in', async () => {
    const socket = client.webSocket(AWAY);
    const { status } = await socket.opened();
    socket.close();
    return status === 101;
  });
  await client.post(AWAY, '421["notifications:unread",{}]');
  assert.equal(answerIn(await client.until(AWAY, ackOf(1))).ok, true);
  await until('it moves', async () => client.upgrade(AWAY).catch(() => undefined));
  client.close();
});

stack.test('the client that closes a WebSocket which moved ends its session', async () => {
  await until('those of other tests have ended', async () => (await metric(AWAY, 'ww_edge_sockets')) === 0);
  const client = await signedIn('closer');
  const socket = await client.upgrade(AWAY);
  await until('it is here', async () => (await metric(AWAY, 'ww_edge_sockets')) === 1);
  socket.sendText('1');
  await socket.until(() => socket.isEnded || socket.isClosed);
  await until('it is gone', async () => (await metric(AWAY, 'ww_edge_sockets')) === 0);
});

stack.test('many sessions move at once, each with its own events', async () => {
  const users = sequence(40).map((n) => `herd-${n}`);
  const clients = await Promise.all(users.map((user) => signedIn(user)));
  const rounds = (async () => {
    for (const n of sequence(6)) await stack.publish(users.map((user) => kyc(user, n)));
  })();
  const sockets = await Promise.all(clients.map((client) => client.upgrade(AWAY)));
  await rounds;
  for (const [i, socket] of sockets.entries()) {
    await frameLike(socket, (text) => levels([text])[0] === 6);
    assert.deepEqual([...levels(clients[i].packets), ...levels(socket.frames)], sequence(6), users[i]);
    clients[i].close();
  }
});

/* ---- an edge that dies; the last tests, since it comes back as another one ---- */

stack.test('a session that moved lives on when its former edge is killed', async () => {
  const client = await signedIn('survivor');
  const socket = await client.upgrade(AWAY);
  await stack.kill('edge-1');
  await stack.publish([kyc('survivor', 1)]);
  await frameLike(socket, (text) => levels([text])[0] === 1);
  socket.sendText('426["notifications:unread",{}]');
  assert.equal(answerIn(await frameLike(socket, ackOf(6))).ok, true);
  client.close();
  await stack.waitReady('edge-1');
});

stack.test('a poll that waits through an edge for one that is killed ends in bounded time, and a stock client comes back', async () => {
  const proxy = await Proxy.start({ pick: (n) => stack.edge(n === 0 ? HERE : AWAY).http });
  try {
    const stock = await stack.connect('phoenix', { at: proxy.url, transports: ['polling'], reconnection: true, reconnectionDelay: 100, reconnectionDelayMax: 300 });
    const client = await quiet('orphan');
    const parked = await parkedAt(client, AWAY);
    await stack.kill('edge-1');
    const { status, body } = await answerOf(parked);
    assert.ok(status === 'cut off' || (status === 400 && body === UNKNOWN.body), `${status} ${body}`);
    await until('the stock client has lost it', () => stock.disconnects.length > 0);
    await until('and is back', () => stock.socket.connected);
    stock.mark();
    await stack.publish([kyc('phoenix', 1)]);
    await stock.waitFor('kyc:update');
    await assertUnknown(AWAY, client.sid);
    await stack.waitReady('edge-1');
    await assertUnknown(HERE, client.sid);
  } finally {
    proxy.stop();
  }
});
