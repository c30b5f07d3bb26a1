// What the desk looks at: everything of one moment.

import { type WalletInput } from '@walletwire/backend';

import { type Done, type State, type Users, type Wallet } from './api.js';
import { type Database, type Tx } from './db.js';
import { readDay } from './day.js';
import { accountsOfPeople, walletOfAccount } from './ledger.js';
import { PEOPLE, userOf } from './people.js';
import { shownTransfers } from './transfers.js';

const DONE_SHOWN = 50;

export const users: Users = { users: PEOPLE.map(userOf) };

export function readState(db: Database): Promise<State> {
  return db.snapshot(async (tx) => {
    const wallets = await walletsByOwner(tx);
    return {
      users: PEOPLE.map((person) => ({ ...userOf(person), wallets: wallets.get(person.id) ?? [] })),
      day: await readDay(tx),
      transfers: await shownTransfers(tx),
      done: await readDone(tx),
    };
  });
}

async function walletsByOwner(tx: Tx): Promise<Map<string, Wallet[]>> {
  const wallets = new Map<string, Wallet[]>();
  for (const account of await accountsOfPeople(tx)) {
    const owner = account.owner as string;
    wallets.set(owner, [...(wallets.get(owner) ?? []), walletOfAccount(account)]);
  }
  return wallets;
}

/** What the services ask for; null: there is no such customer. */
export async function balancesOf(db: Database, userId: string): Promise<WalletInput[] | null> {
  const wallets = (await db.snapshot(walletsByOwner)).get(userId);
  if (!wallets) return null;
  return wallets.map(({ available, pending, ...wallet }) => ({
    ...wallet,
    availableBalance: available,
    pendingBalance: pending,
  }));
}

interface Row extends Omit<Done, 'seq' | 'at' | 'userIds'> {
  seq: bigint;
  at: Date;
  user_ids: string[];
}

async function readDone(tx: Tx): Promise<Done[]> {
  const rows = await tx.query<Row>(
    'SELECT seq, at, by, what, text, user_ids, events FROM bank.done ORDER BY seq DESC LIMIT $1',
    [DONE_SHOWN],
  );
  return rows.map(({ seq, at, by, what, text, user_ids, events }) => ({
    seq: Number(seq),
    at: at.toISOString(),
    by,
    what,
    text,
    userIds: user_ids,
    events,
  }));
}
