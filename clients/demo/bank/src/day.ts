// The simulated day: every now and then something small happens between the users, until it is paused.

import { type Day } from './api.js';
import { type Tx } from './db.js';
import { nextHappening } from './happenings.js';
import { accountsOfPeople } from './ledger.js';
import { type Bank, perform } from './perform.js';
import { flag, object, optional, within } from './read.js';

const PACE_MIN_S = 0.2;
const PACE_MAX_S = 60;

interface Row {
  running: boolean;
  pace_ms: number;
}

const dayOf = ({ running, pace_ms }: Row): Day => ({ running, pace: pace_ms / 1000 });

async function rowOf(tx: Tx, lock = ''): Promise<Row> {
  const [row] = await tx.query<Row>(`SELECT running, pace_ms FROM bank.day ${lock}`);
  if (!row) throw new Error('bank.day is empty');
  return row;
}

export const readDay = async (tx: Tx): Promise<Day> => dayOf(await rowOf(tx));

const readSetting = object({
  running: optional(flag),
  pace: optional(within(PACE_MIN_S, PACE_MAX_S, { whole: false })),
});

/** Waits for what is happening; see `happen`. */
export async function setDay({ db }: Bank, body: unknown): Promise<Day> {
  const { running, pace } = readSetting(body, '');
  return db.transaction(async (tx) => {
    const [row] = await tx.query<Row>(
      `UPDATE bank.day SET running = coalesce($1, running), pace_ms = coalesce($2, pace_ms) RETURNING running, pace_ms`,
      [running ?? null, pace === undefined ? null : Math.round(1000 * pace)],
    );
    if (!row) throw new Error('bank.day is empty');
    return dayOf(row);
  });
}

// What happens holds the day's row until its commit: a pause waits for it, and after a pause nothing begins.
const isPaused = async (tx: Tx): Promise<boolean> => !(await rowOf(tx, 'FOR SHARE')).running;

/** One thing happens, if the day is running. Returns after how many milliseconds the next one is due. */
export async function happen(bank: Bank): Promise<number | undefined> {
  const { day, accounts } = await bank.db.snapshot(async (tx) => ({
    day: await rowOf(tx),
    accounts: await accountsOfPeople(tx),
  }));
  if (!day.running) return undefined;
  const purses = accounts.map(({ owner, balance }) => ({ userId: owner as string, units: balance }));
  const happening = nextHappening(purses, Math.random);
  if (happening) await perform(bank, { ...happening, by: 'day', unless: isPaused });
  return day.pace_ms;
}
