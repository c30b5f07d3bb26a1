// The same bytes to the reference server and to ours; what they answer has to be the same, but for the cases
// that say otherwise and why.

import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { insist, tellAttempts } from './attempts.mjs';
import { binary } from './cases/binary.mjs';
import { connect } from './cases/connect.mjs';
import { cors } from './cases/cors.mjs';
import { echo } from './cases/echo.mjs';
import { events } from './cases/events.mjs';
import { handshake } from './cases/handshake.mjs';
import { heartbeat } from './cases/heartbeat.mjs';
import { msgpack } from './cases/msgpack.mjs';
import { polling } from './cases/polling.mjs';
import { upgrade } from './cases/upgrade.mjs';
import { observe } from './observe.mjs';
import { peerName, startPeers, stopPeers, WITH_OURS } from './peers.mjs';

const TABLES = { handshake, cors, polling, echo, heartbeat, upgrade, connect, events, binary, msgpack };
const AT_ONCE = Number(process.env.WW_CONFORMANCE_JOBS ?? 12);
const SHOW = process.env.WW_CONFORMANCE_SHOW; // a file that is told what the reference did

let peers;

const seenBy = (who, test) => observe(test, peers.get(peerName(who, test.parser)).port);

async function compare(test) {
  const [reference, ours] = await Promise.all(['reference', ...(WITH_OURS ? ['ours'] : [])].map((who) => seenBy(who, test)));
  if (SHOW) appendFileSync(SHOW, `${[test.name, ...reference.map((value) => JSON.stringify(value))].join('\n  ')}\n`);
  if (!test.reference) assert.doesNotMatch(JSON.stringify(reference), /no answer|still open/, 'a case ends by what is sent');
  if (test.reference) assert.deepEqual(reference, test.reference, 'the reference does what the case says it does');
  if (!WITH_OURS) return;
  assert.deepEqual(
    ours,
    test.ours ?? reference,
    test.why ? `ours, which differs: ${test.why}` : 'ours (+) and the reference (-)',
  );
}

describe('conformance', { concurrency: AT_ONCE }, () => {
  before(async () => {
    peers = await startPeers();
  });
  after(async () => {
    tellAttempts();
    if (peers) await stopPeers(peers);
  });
  for (const [table, cases] of Object.entries(TABLES)) {
    for (const test of cases) it(`${table}: ${test.name}`, () => insist(test.name, () => compare(test)));
  }
});
