// Transfers that take their time: the money leaves at once, rests in `transit`, and arrives, or goes back.

import { type TransferState } from './api.js';
import { type Database, type Tx } from './db.js';
import { post } from './ledger.js';
import { checkSides, money, sendFields, sidesOf } from './movements.js';
import { amountOf, CURRENCY, moneyOf } from './money.js';
import { firstName, walletOf } from './people.js';
import { flag, object, optional, within } from './read.js';
import { Refused } from './refused.js';
import { tell } from './tell.js';
import { newId, told, verb } from './verb.js';

const UNDER_WAY_MAX = 100;
const FAILS_AT = 50; // %
const STEP = 5; // % from one word about it to the next
const SHOWN_MAX = 50;

interface Row {
  id: string;
  from: string;
  to: string;
  units: bigint;
  note: string;
  fails: boolean;
  state: TransferState['state'];
  progress: number;
  version: bigint;
}

const COLUMNS = `t.id, s.owner AS "from", r.owner AS "to", t.units, t.note, t.fails, t.state, t.progress, t.version`;
const FROM = 'bank.transfers t JOIN bank.accounts s ON s.id = t.sender JOIN bank.accounts r ON r.id = t.recipient';

export const transfer = verb(
  object({ ...sendFields, seconds: optional(within(1, 120), 10), fails: optional(flag, false) }),
  async ({ tx }, input) => {
    const { from, to, amount: units, note, seconds, fails } = input;
    const id = newId('tr');
    checkSides(input);
    const [count] = await tx.query<{ n: bigint }>(
      "SELECT count(*) AS n FROM bank.transfers WHERE state = 'processing'",
    );
    if (count && count.n >= UNDER_WAY_MAX) throw new Refused('conflict', 'too many transfers are under way');
    await post(tx, `${id}/processing`, 'transfer', [
      { account: walletOf(from), units: -units },
      { account: 'transit', units },
      { account: walletOf(to), units: 0n, pending: units },
    ]);
    await tx.query(
      'INSERT INTO bank.transfers (id, sender, recipient, units, note, seconds, fails) VALUES ($1, $2, $3, $4, $5, $6, $7)',
      [id, walletOf(from), walletOf(to), units, note, seconds, fails],
    );
    const row: Row = { id, from, to, units, note, fails, state: 'processing', progress: 0, version: 1n };
    await tellTransfer(tx, row);
    const event = await tellTransaction(tx, row, 'pending');
    return told(id, [event], `${firstName(from)} is transferring ${moneyOf(units)} to ${firstName(to)}`, [from, to]);
  },
);

async function tellTransfer(tx: Tx, { id, from, to, units, note, state, progress, version }: Row): Promise<void> {
  const names = `from ${firstName(from)} to ${firstName(to)}`;
  await tell(tx, {
    kind: 'transfer',
    key: walletOf(from),
    id: `${id}/${version}`,
    userIds: [from, to],
    ...(state !== 'processing' && {
      title: `Transfer ${names} ${state === 'completed' ? 'arrived' : 'failed'}`,
      text: state === 'completed' ? `${moneyOf(units)} arrived.` : `${moneyOf(units)} went back to ${firstName(from)}.`,
    }),
    body: { transferId: id, state, progress, ...money(units), message: note, version: Number(version) },
  });
}

function tellTransaction(tx: Tx, { id, from, to, units, note }: Row, status: 'pending' | 'completed' | 'failed') {
  return tell(tx, {
    kind: 'transaction',
    key: walletOf(from),
    id: `${id}/${status}`,
    body: { transactionId: id, ...sidesOf({ from, to }), status, ...money(units), message: note },
  });
}

type Moving = Row & { reached: number };

/** How far what is under way has come by the time that went by. */
function underWay(tx: Tx, id?: string): Promise<Moving[]> {
  return tx.query<Moving>(
    `SELECT ${COLUMNS}, least(100, floor(100 * extract(epoch FROM clock_timestamp() - t.started_at) / t.seconds))::int AS reached
     FROM ${FROM} WHERE t.state = 'processing' AND t.id = coalesce($1, t.id)`,
    [id ?? null],
  );
}

function stateOf({ fails, reached }: Moving): Row['state'] {
  if (fails && reached >= FAILS_AT) return 'failed';
  return reached === 100 ? 'completed' : 'processing';
}

const isDue = (row: Moving): boolean => stateOf(row) !== 'processing' || row.reached >= row.progress + STEP;

/**
 * Moves on what is under way; returns how many transfers still are. Each one in a transaction of its own: the accounts
 * of several would be locked in no order.
 */
export async function advanceTransfers(db: Database): Promise<number> {
  const rows = await db.snapshot((tx) => underWay(tx));
  for (const { id } of rows.filter(isDue)) await db.transaction((tx) => advance(tx, id));
  return rows.filter((row) => stateOf(row) === 'processing').length;
}

async function advance(tx: Tx, id: string): Promise<void> {
  await tx.query('SELECT FROM bank.transfers WHERE id = $1 FOR UPDATE', [id]);
  const [moving] = await underWay(tx, id); // as it is now that nobody else moves it
  if (!moving || !isDue(moving)) return;
  const { reached, ...before } = moving;
  const state = stateOf(moving);
  const progress = state === 'failed' ? FAILS_AT : reached;
  await moveTo(tx, { ...before, state, progress, version: before.version + 1n });
}

async function moveTo(tx: Tx, row: Row): Promise<void> {
  const { id, from, to, units, state, progress, version } = row;
  await tx.query(
    `UPDATE bank.transfers SET state = $2, progress = $3, version = $4,
       ended_at = CASE WHEN $2 = 'processing' THEN NULL ELSE clock_timestamp() END WHERE id = $1`,
    [id, state, progress, version],
  );
  if (state !== 'processing') {
    const arrives = state === 'completed';
    await post(tx, `${id}/${state}`, 'transfer', [
      { account: 'transit', units: -units },
      { account: walletOf(to), units: arrives ? units : 0n, pending: -units },
      ...(arrives ? [] : [{ account: walletOf(from), units }]),
    ]);
    await tellTransaction(tx, row, state);
  }
  await tellTransfer(tx, row);
}

/** What is under way, and what ended within the last minute. */
export async function shownTransfers(tx: Tx): Promise<TransferState[]> {
  const rows = await tx.query<Row>(
    `SELECT ${COLUMNS} FROM ${FROM} WHERE t.state = 'processing' OR t.ended_at > clock_timestamp() - interval '1 minute'
     ORDER BY t.started_at DESC LIMIT ${SHOWN_MAX}`,
  );
  return rows.map(({ id, from, to, units, state, progress }) => ({
    transferId: id,
    from,
    to,
    amount: amountOf(units),
    currency: CURRENCY,
    state,
    progress,
  }));
}
