// Double entry: a movement's entries sum to zero, a wallet never has less than nothing, and whoever's wallet changed is
// told its new balance.

import { type Wallet } from './api.js';
import { type Tx } from './db.js';
import { amountOf, CURRENCY } from './money.js';
import { Refused } from './refused.js';
import { tell } from './tell.js';

/** What a movement does to one account. */
export interface Leg {
  account: string;
  units: bigint;
  /** To what is on its way to it; no entry, since it is nobody's yet. */
  pending?: bigint;
}

export interface Account {
  id: string;
  owner: string | null;
  balance: bigint;
  pending: bigint;
  version: bigint;
}

const BALANCE_MAX = 100_000_000n; // units: 1,000,000.00

const COLUMNS = 'id, owner, balance, pending, version';

/** Rows that belong to people, of those locked first: so the events of a wallet are in the order of commits. */
async function lock(tx: Tx, legs: readonly Leg[]): Promise<void> {
  const ids = legs.map(({ account }) => account);
  const rows = await tx.query<Account>(
    `SELECT ${COLUMNS} FROM bank.accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE`,
    [ids],
  );
  for (const { account, units } of legs) {
    const row = rows.find(({ id }) => id === account);
    if (!row) throw new Error(`there is no account ${account}`);
    if (row.owner === null || units === 0n) continue;
    if (row.balance + units < 0n) throw new Refused('conflict', 'is more than the wallet has', { field: 'amount' });
    if (units > 0n && row.balance + units > BALANCE_MAX)
      throw new Refused('conflict', 'is more than the wallet can hold', { field: 'amount' });
  }
}

async function apply(tx: Tx, legs: readonly Leg[]): Promise<Account[]> {
  return tx.query<Account>(
    `UPDATE bank.accounts a SET balance = a.balance + leg.units, pending = a.pending + leg.pending, version = a.version + 1
     FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS leg (account, units, pending)
     WHERE a.id = leg.account RETURNING ${COLUMNS.replace(/\w+/g, 'a.$&')}`,
    [legs.map(({ account }) => account), legs.map(({ units }) => units), legs.map(({ pending }) => pending ?? 0n)],
  );
}

/** Moves money, with what it changes of the balances in the outbox. The accounts stay locked until the commit. */
export async function post(tx: Tx, id: string, kind: string, legs: readonly Leg[]): Promise<void> {
  const entries = legs.filter(({ units }) => units !== 0n);
  await lock(tx, legs);
  const changed = await apply(tx, legs);
  await tx.query('INSERT INTO bank.movements (id, kind) VALUES ($1, $2)', [id, kind]);
  await tx.query(
    'INSERT INTO bank.entries (movement, account, units) SELECT $1, * FROM unnest($2::text[], $3::bigint[])',
    [id, entries.map(({ account }) => account), entries.map(({ units }) => units)],
  );
  for (const account of changed) if (account.owner !== null) await tellBalance(tx, account, account.owner);
}

async function tellBalance(tx: Tx, account: Account, owner: string): Promise<void> {
  const { walletId, available, pending, currency, version } = walletOfAccount(account);
  await tell(tx, {
    kind: 'balance',
    key: walletId,
    id: `${walletId}/${version}`,
    userIds: [owner],
    body: { walletId, available_balance: available, pending_balance: pending, currency, version },
  });
}

export function walletOfAccount({ id, balance, pending, version }: Account): Wallet {
  return {
    walletId: id,
    currency: CURRENCY,
    available: amountOf(balance),
    pending: amountOf(pending),
    version: Number(version),
  };
}

/** The wallets of people. */
export function accountsOfPeople(tx: Tx): Promise<Account[]> {
  return tx.query<Account>(`SELECT ${COLUMNS} FROM bank.accounts WHERE owner IS NOT NULL ORDER BY id`);
}
