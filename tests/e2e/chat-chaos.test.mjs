// 20 stock clients of every kind chat in 50 rooms while everything under them is killed in turn: whatever was
// acknowledged is in the room once, under a number of its own, and was shown once to each member, in one order.

import { countReturns } from './flood.mjs';
import { LONG, useStack } from './harness.mjs';
import { assertSaid, countShown, everybodySpoke, gather, sumOf } from './talkers.mjs';

const USERS = 20; // with a client each
const GROUPS = 40;
const DIRECT = 10;
const VICTIMS = ['chat', 'notifications', 'postgres', 'edge-1', 'presence', 'nats', 'chat-2', 'notifications-2', 'edge-2'];
const KILLS = LONG ? 45 : 6;
const TIMEOUT = { timeout: LONG ? 900_000 : 150_000 };

const stack = useStack({
  edges: 2,
  notifications: 2,
  chat: 2,
  // Beside other work somebody can miss more than the 500 items of the default, which would start afresh.
  env: { WW_HISTORY: '1000', WW_RECOVERY_MAX: '10000', WW_CHAT_RATE: '20', WW_CHAT_BURST: '40' },
});

const sequence = (count) => Array.from({ length: count }, (_, i) => i);
const userAt = (i) => `talker-${i % USERS}`;

// The members of room r: a pair, or a group of 3 to 20 whose members are in other groups with others.
function membersOf(r) {
  if (r < DIRECT) return [userAt(r), userAt(r + DIRECT)];
  return Array.from({ length: 3 + (r % (USERS - 2)) }, (_, i) => userAt(r * 7 + i * 3));
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

stack.test(
  `${USERS} clients chat in ${GROUPS + DIRECT} rooms while everything is killed in turn, ${KILLS} times`,
  async (t) => {
    const started = Date.now();
    const { talkers, rooms } = await gather(stack, sequence(USERS).map(userAt), sequence(DIRECT + GROUPS).map(membersOf));
    for (const talker of talkers) talker.talk();
    const kills = await killInTurn(talkers).finally(() => Promise.allSettled(talkers.map((talker) => talker.stop())));
    await Promise.all(talkers.map((talker) => talker.over));
    const lines = await assertSaid(stack, talkers, rooms);
    await stack.assertNoDeadLetters();
    t.diagnostic(
      `${lines} lines, ${countShown(talkers)} times shown, ${sumOf(talkers, 'retries')} attempts without an answer, ${sumOf(talkers, 'repeats')} sent again, ` +
        `kills ${JSON.stringify(kills)}, ${countReturns(talkers.map(({ client }) => client))} returns, ${Math.round((Date.now() - started) / 1000)} s`,
    );
  },
  TIMEOUT,
);
