// Shared by the tests in which clients chat while something ends under them: people who insist until they are
// answered, their rooms, and what has to hold of what was said.

import assert from 'node:assert/strict';
import { follow } from './flood.mjs';
import { until } from './harness.mjs';

const PAUSE_MS = 150; // from an acknowledgement to the next line
const AGAIN = 7; // every so many lines one is sent again after its acknowledgement, as if that had been lost
const ASK_MS = 2_000;
const RECOVERY_MS = 60_000;
const PAGE = 100;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Talker {
  constructor(user, client) {
    Object.assign(this, { user, client, rooms: [], acked: [], unanswered: [], retries: 0, repeats: 0, stopped: false });
  }

  // Resolves with what the service said at last. What came of an attempt without an answer is not known.
  async insist(event, payload) {
    for (;;) {
      const reply = await this.client.socket.timeout(ASK_MS).emitWithAck(event, payload).catch(() => null);
      if (reply?.ok) return reply;
      const code = reply?.error.code ?? 'timeout';
      assert.ok(['timeout', 'unavailable', 'rate_limited'].includes(code), `${event}: ${JSON.stringify(reply)}`);
      this.retries++;
      this.unanswered.push(`${event}: ${code}`);
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

// A talker for each user, with a client of a kind in turn. `members`: those of each room by their users, two of
// whom are a pair; the first of them makes it.
export async function gather(stack, users, members) {
  const talkers = [];
  for (const [i, user] of users.entries()) talkers.push(new Talker(user, await follow(stack, user, i)));
  const byUser = new Map(talkers.map((talker) => [talker.user, talker]));
  const rooms = [];
  for (const [r, [first, ...others]] of members.entries()) {
    const kind = others.length === 1 ? { type: 'direct' } : { type: 'group', name: `Room ${r}`, clientId: `room-${r}` };
    const { room } = await byUser.get(first).insist('chat:create', { ...kind, members: others });
    const inside = [first, ...others].map((user) => byUser.get(user));
    for (const member of inside) member.rooms.push(room.id);
    rooms.push({ id: room.id, members: inside });
  }
  return { talkers, rooms };
}

// Until everybody has said something that was begun after now; whoever fails ends the wait.
export function everybodySpoke(talkers) {
  const before = talkers.map((talker) => talker.acked.length);
  const spoke = () => {
    for (const { failure } of talkers) if (failure) throw failure;
    return talkers.every((talker, i) => talker.acked.length > before[i] + 1);
  };
  return until('everybody has spoken', spoke, RECOVERY_MS);
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

// Whatever was acknowledged is in its room once, under a number of its own, and was shown once to each member, in
// one order; nothing else is stored. Returns how many lines that were.
export async function assertSaid(stack, talkers, rooms) {
  const acked = talkers.flatMap((talker) => talker.acked);
  for (const { client } of talkers) assert.ok(client.returns.every((recovered) => recovered), `a fresh session after ${client.returns}`);
  for (const room of rooms) await assertRoom(room, acked);
  assertOneOrder(talkers);
  const [stored] = await stack.psql('chat', '-c', 'SELECT count(*), count(DISTINCT (room_id, sender_id, client_id)) FROM chat.messages');
  assert.equal(stored, `${acked.length}|${acked.length}`, 'nothing is stored that nobody was told of');
  return acked.length;
}

export const sumOf = (talkers, key) => talkers.reduce((total, talker) => total + talker[key], 0);
export const countShown = (talkers) => talkers.reduce((total, { client }) => total + client.payloads('chat:message').length, 0);
