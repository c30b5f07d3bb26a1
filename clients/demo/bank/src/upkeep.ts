// What is done once at the first start, and what is thrown away. The ledger itself stays whole.

import { type Tx } from './db.js';
import { post } from './ledger.js';
import { CURRENCY, SCALE } from './money.js';
import { CUSTOMERS, walletOf } from './people.js';
import { type Bank } from './perform.js';

const DONE_KEPT = 1000;
const TIMEOUT_MS = 4000; // below what a stop may take
const HOUR_MS = 3_600_000;

export async function open(bank: Bank, isDayRunning: boolean): Promise<void> {
  await bank.db.prepare();
  await bank.db.transaction(async (tx) => {
    await tx.query('INSERT INTO bank.day (running) VALUES ($1) ON CONFLICT DO NOTHING', [isDayRunning]);
    for (const { id, opening = 0n } of CUSTOMERS) await openWallet(tx, id, opening);
  });
}

async function openWallet(tx: Tx, userId: string, opening: bigint): Promise<void> {
  const account = walletOf(userId);
  const made = await tx.query(
    'INSERT INTO bank.accounts (id, owner, currency, scale) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id',
    [account, userId, CURRENCY, SCALE],
  );
  if (made.length > 0)
    await post(tx, `opening/${account}`, 'opening', [
      { account, units: opening },
      { account: 'world', units: -opening },
    ]);
}

/** Makes the ready-made users friends, once: what the desk changes stays. */
export async function befriend({ db, services }: Bank): Promise<undefined> {
  const [day] = await db.snapshot((tx) => tx.query<{ befriended: boolean }>('SELECT befriended FROM bank.day'));
  if (day?.befriended) return;
  for (const { id, friends } of CUSTOMERS) await services.setFriends(id, { add: friends }, { timeoutMs: TIMEOUT_MS });
  await db.transaction((tx) => tx.query('UPDATE bank.day SET befriended = true'));
}

export async function tidy({ db }: Bank): Promise<number> {
  await db.transaction(async (tx) => {
    await tx.query("DELETE FROM bank.requests WHERE at < clock_timestamp() - interval '1 day'");
    await tx.query('DELETE FROM bank.done WHERE seq <= (SELECT max(seq) FROM bank.done) - $1', [DONE_KEPT]);
  });
  return HOUR_MS;
}
