// What people are told is a row of the outbox, written in the transaction of what it tells of; ww-outbox publishes it.

import { type EventKind, type EventRef } from './api.js';
import { type Tx } from './db.js';

export interface Event {
  kind: EventKind;
  /** Whose order matters: the wallet's id. */
  key: string;
  /** Names the event, so that it is applied once. */
  id: string;
  userIds?: readonly string[];
  /** Shown in the inbox. Without them the words are made from the content, for each side its own. */
  title?: string;
  text?: string;
  priority?: 'low' | 'normal' | 'high' | 'critical';
  expiresAt?: string;
  /** In the words of the kind's message. */
  body: object;
}

export async function tell(tx: Tx, { kind, key, body, ...event }: Event): Promise<EventRef> {
  await tx.query('INSERT INTO walletwire_outbox.events (key, type, event) VALUES ($1, $2, $3)', [
    key,
    kind,
    JSON.stringify({ ...event, [kind]: body }),
  ]);
  return { kind, id: event.id };
}
