// 20 stock clients of every kind chat in 50 rooms while everything under them is killed in turn: whatever was
// acknowledged is in the room once, under a number of its own, and was shown once to each member, in one order.

import assert from 'node:assert/strict';
import { countReturns, follow } from './flood.mjs';
import { LONG, until, useStack } from './harness.mjs';

const USERS = 20; // with a client each
const GROUPS = 40;
const DIRECT = 10;
const PAUSE_MS = 150; // of a client, from an acknowledgement to its next line
const AGAIN = 7; // every so many lines one is sent again after its acknowledgement, as if that had been lost
const ASK_MS = 2_000;
const VICTIMS = ['chat', 'notifications', 'postgres', 'edge-1', 'presence', 'nats', 'chat-2', 'notifications-2', 'edge-2'];
const KILLS = LONG ? 45 : 6;
const RECOVERY_MS = 60_000;
const PAGE = 100;
const TIMEOUT = { timeout: LONG ? 900_000 : 150_000 };

const stack = useStack({
  edges: 2,
  notifications: 2,
  chat: 2,
  // Beside other work somebody can miss more than the 500 items of the default, which would start afresh.
  env: { WW_HISTORY: '1000', WW_RECOVERY_MAX: '10000', WW_CHAT_RATE: '20', WW_CHAT_BURST: '40' },
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const userAt = (i) => `talker-${i % USERS}`;

// The members of room r: a pair, or a group of 3 to 20 whose members are in other groups with others.
function membersOf(r) {
  if (r < DIRECT) return [userAt(r), userAt(r + DIRECT)];
  return Array.from({ length: 3 + (r % (USERS - 2)) }, (_, i) => userAt(r * 7 + i * 3));
}

class Talker {
  constructor(user, client) {
    Object.assign(this, { user, client, rooms: [], acked: [], retries: 0, repeats: 0, stopped: false });
  }

  // Resolves with what the service said at last. What came of an attempt without an answer is not known.
  async insist(event, payload) {
    for (;;) {
      const reply = await this.client.socket.timeout(ASK_MS).emitWithAck(event, payload).catch(() => null);
      if (reply?.ok) return reply;
      const code = reply?.error.code ?? 'timeout';
      assert.ok(['timeout', 'unavailable', 'rate_limited'].includes(code), `${event}: ${JSON.stringify(reply)}`);
      this.retries++;
      await sleep(reply?.error.retryAfterMs ?? PAUSE_MS);
    }
  }

  async say(n) {
    const roomId = this.rooms[n % this.rooms.length];
    const line = { roomId, text: `${this.user} says ${n}`, clientId: `${this.user}-${n}` };
    const { id, seq } = await this.insist('chat:send', line);
    this.acked.push({ id, seq, roomId, senderId: this.user, text: line.text, clientId: line.clientId });
    if (n % AGAIN > 0) return;
    const again = await this.insist('chat:send', line);
    assert.deepEqual([again.id, again.seq], [id, seq], 'a retry is answered with the first message');
    this.repeats++;
  }

  talk() {
    this.over = (async () => {
      for (let n = 0; !this.stopped; n++) {
        await this.say(n);
        await sleep(PAUSE_MS);
      }
    })();
    this.over.catch((error) => (this.failure = error));
  }

  stop() {
    this.stopped = true;
    return this.over;
  }

  shown(roomIds) {
    return this.client.payloads('chat:message').filter((line) => roomIds.has(line.roomId));
  }
}

async function gather() {
  const talkers = [];
  for (let i = 0; i < USERS; i++) talkers.push(new Talker(userAt(i), await follow(stack, userAt(i), i)));
  const byUser = new Map(talkers.map((talker) => [talker.user, talker]));
  const rooms = [];
  for (let r = 0; r < DIRECT + GROUPS; r++) {
    const [first, ...others] = membersOf(r);
    const group = r < DIRECT ? { type: 'direct' } : { type: 'group', name: `Room ${r}`, clientId: `room-${r}` };
    const { room } = await byUser.get(first).insist('chat:create', { ...group, members: others });
    const members = [first, ...others].map((user) => byUser.get(user));
    for (const member of members) member.rooms.push(room.id);
    rooms.push({ id: room.id, members });
  }
  return { talkers, rooms };
}

// Until everybody has said something that was begun after now; whoever fails ends the wait.
function everybodySpoke(talkers) {
  const before = talkers.map((talker) => talker.acked.length);
  const spoke = () => {
    for (const { failure } of talkers) if (failure) throw failure;
    return talkers.every((talker, i) => talker.acked.length > before[i] + 1);
  };
  return until('everybody has spoken', spoke, RECOVERY_MS);
}

async function killInTurn(talkers) {
  const kills = {};
  for (let n = 0; n < KILLS; n++) {
    const victim = VICTIMS[n % VICTIMS.length];
    await stack.kill(victim);
    kills[victim] = (kills[victim] ?? 0) + 1;
    await everybodySpoke(talkers);
  }
  return kills;
}

// All that the room has kept, by pages from the newest, as this member sees it.
async function history(talker, roomId) {
  const lines = [];
  for (;;) {
    const page = await talker.insist('chat:history', { roomId, before: lines[0]?.seq ?? 0, limit: PAGE });
    lines.unshift(...page.messages);
    if (page.messages.length === 0 || page.messages[0].seq === page.oldestSeq) return lines;
  }
}

const essence = ({ id, seq, roomId, senderId, text, clientId }) => JSON.stringify({ id, seq, roomId, senderId, text, clientId });

// The first difference is said, not hundreds of lines.
function assertSame(actual, wanted, what) {
  const [is, should] = [actual.map(essence), wanted.map(essence)];
  const at = should.findIndex((line, i) => line !== is[i]);
  assert.ok(at < 0 && is.length === should.length, `${what}: ${is.length} of ${should.length}; at ${at} ${is[at < 0 ? should.length : at]}, not ${should[at]}`);
}

async function assertRoom(room, acked) {
  const said = acked.filter((line) => line.roomId === room.id).sort((a, b) => a.seq - b.seq);
  assert.deepEqual(said.map((line) => line.seq), said.map((_, n) => n + 1), 'numbers without a gap, each given once');
  for (const member of room.members) {
    const only = new Set([room.id]);
    await member.client.waitUntil(`all ${said.length} lines of ${room.id}`, () => member.shown(only).length >= said.length, RECOVERY_MS);
    assertSame(member.shown(only), said, `${member.user} was shown each line once, in order`);
  }
  for (const member of [room.members[0], room.members.at(-1)])
    assertSame(await history(member, room.id), said, 'history has what was acknowledged, and nothing else');
}

// Also over rooms: any two have seen what both may see in one order.
function assertOneOrder(talkers) {
  for (const [i, one] of talkers.entries()) {
    for (const other of talkers.slice(i + 1)) {
      const shared = new Set(one.rooms.filter((id) => other.rooms.includes(id)));
      assertSame(one.shown(shared), other.shown(shared), `${one.user} and ${other.user} saw one order`);
    }
  }
}

stack.test(
  `${USERS} clients chat in ${GROUPS + DIRECT} rooms while everything is killed in turn, ${KILLS} times`,
  async (t) => {
    const started = Date.now();
    const { talkers, rooms } = await gather();
    for (const talker of talkers) talker.talk();
    const kills = await killInTurn(talkers).finally(() => Promise.allSettled(talkers.map((talker) => talker.stop())));
    await Promise.all(talkers.map((talker) => talker.over));
    const acked = talkers.flatMap((talker) => talker.acked);
    const clients = talkers.map((talker) => talker.client);
    for (const client of clients) assert.ok(client.returns.every((recovered) => recovered), `a fresh session after ${client.returns}`);
    for (const room of rooms) await assertRoom(room, acked);
    assertOneOrder(talkers);
    const [stored] = await stack.psql('chat', '-c', 'SELECT count(*), count(DISTINCT (room_id, sender_id, client_id)) FROM chat.messages');
    assert.equal(stored, `${acked.length}|${acked.length}`, 'nothing is stored that nobody was told of');
    await stack.assertNoDeadLetters();
    const sum = (key) => talkers.reduce((total, talker) => total + talker[key], 0);
    const shown = talkers.reduce((total, talker) => total + talker.client.payloads('chat:message').length, 0);
    t.diagnostic(
      `${acked.length} lines, ${shown} times shown, ${sum('retries')} attempts without an answer, ${sum('repeats')} sent again, ` +
        `kills ${JSON.stringify(kills)}, ${countReturns(clients)} returns, ${Math.round((Date.now() - started) / 1000)} s`,
    );
  },
  TIMEOUT,
);
