// Every route of the bank. A handler gives what is answered, as JSON unless it is a text.

import { type Verb } from './api.js';
import { readDay, setDay } from './day.js';
import { type Database } from './db.js';
import { type Loop } from './loop.js';
import { metricsText } from './metrics.js';
import { type Bank, perform } from './perform.js';
import { Refused } from './refused.js';
import { readState, users } from './state.js';
import { signIn } from './token.js';
import { VERBS } from './verbs.js';

export interface Asked {
  body: unknown;
  /** Of the header Idempotency-Key. */
  key?: string | undefined;
}

export type Handler = (asked: Asked) => Promise<object | string> | object | string;
export type Routes = ReadonlyMap<string, Handler>;

const API = '/bank/api';
const VERB_NAMES = Object.keys(VERBS) as Verb[];

/** What is there once the bank is open. */
export interface Opened {
  bank: Bank;
  day: Loop;
  transfers: Loop;
}

export interface Parts {
  keysDir: string;
  opened: () => Opened | undefined;
}

export function makeRoutes(parts: Parts): Routes {
  const opened = (): Opened => {
    const there = parts.opened();
    if (!there) throw new Refused('unavailable', 'the bank is not open yet');
    return there;
  };
  const db = (): Database => opened().bank.db;
  const isAlive: Handler = () => 'alive\n';
  const isReady: Handler = async () => {
    await db().snapshot(readDay);
    return 'ready\n';
  };

  return new Map<string, Handler>([
    [`GET ${API}/users`, () => users],
    [`GET ${API}/state`, () => readState(db())],
    [`POST ${API}/sign-in`, ({ body }) => signIn(db(), parts.keysDir, body)],
    [`POST ${API}/day`, ({ body }) => changeDay(opened(), body)],
    ...VERB_NAMES.map((what) => [`POST ${API}/${what}`, (asked: Asked) => order(opened(), what, asked)] as const),
    // Here for whoever comes through a load balancer, and where every program of ours has them.
    [`GET ${API}/healthz`, isAlive],
    [`GET ${API}/readyz`, isReady],
    ['GET /healthz', isAlive],
    ['GET /readyz', isReady],
    ['GET /metrics', metricsText],
  ]);
}

async function changeDay({ bank, day }: Opened, body: unknown): Promise<object> {
  const answer = await setDay(bank, body);
  day.wake();
  return answer;
}

async function order({ bank, transfers }: Opened, what: Verb, { body, key }: Asked): Promise<object> {
  const answer = await perform(bank, { what, body, key, by: 'desk' });
  transfers.wake();
  return answer ?? {};
}
