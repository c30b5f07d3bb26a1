// Does a verb: in one transaction with the answer to its key, the line for the desk, and its events.

import { createHash } from 'node:crypto';

import { type RealtimeNotifications } from '@walletwire/backend';

import { type Verb as Name } from './api.js';
import { type Database, type Tx } from './db.js';
import { Refused } from './refused.js';
import { type Outcome } from './verb.js';
import { VERBS } from './verbs.js';

export interface Bank {
  db: Database;
  services: RealtimeNotifications;
}

interface Request {
  what: Name;
  body: unknown;
  by: 'desk' | 'day';
  /** The same request under the same key is done once. */
  key?: string | undefined;
  /** Looked at first in the transaction: what may not begin has no answer. */
  unless?: (tx: Tx) => Promise<boolean>;
}

export async function perform(
  { db, services }: Bank,
  { what, body, by, key, unless }: Request,
): Promise<object | undefined> {
  const order = VERBS[what](body);
  return db.transaction(async (tx) => {
    if (await unless?.(tx)) return undefined;
    const earlier = key === undefined ? undefined : await claim(tx, key, hashOf(what, order.input));
    if (earlier) return earlier;
    const outcome = await order.run({ tx, services });
    await note(tx, what, by, outcome);
    if (key !== undefined)
      await tx.query('UPDATE bank.requests SET answer = $2 WHERE key = $1', [key, JSON.stringify(outcome.answer)]);
    return outcome.answer;
  });
}

// Waits for whoever has the same key under way, so that the second one finds the first one's answer.
async function claim(tx: Tx, key: string, request: string): Promise<object | undefined> {
  const taken = await tx.query(
    'INSERT INTO bank.requests (key, request) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING key',
    [key, request],
  );
  if (taken.length > 0) return undefined;
  const [earlier] = await tx.query<{ request: string; answer: object }>(
    'SELECT request, answer FROM bank.requests WHERE key = $1',
    [key],
  );
  if (earlier?.request !== request)
    throw new Refused('conflict', 'was used for another request', { field: 'Idempotency-Key' });
  return earlier.answer;
}

function hashOf(what: Name, input: unknown): string {
  const text = JSON.stringify([what, input], (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
  return createHash('sha256').update(text).digest('hex');
}

async function note(tx: Tx, what: Name, by: Request['by'], { text, userIds, events }: Outcome<object>): Promise<void> {
  await tx.query('INSERT INTO bank.done (by, what, text, user_ids, events) VALUES ($1, $2, $3, $4, $5)', [
    by,
    what,
    text,
    userIds,
    JSON.stringify(events),
  ]);
}
