// What can be done at the bank: a verb reads what it is asked and does it in one transaction, events included.

import { randomBytes } from 'node:crypto';

import { type RealtimeNotifications } from '@walletwire/backend';

import { type EventRef, type Told } from './api.js';
import { type Tx } from './db.js';
import { type Reader } from './read.js';

export interface Work {
  tx: Tx;
  services: RealtimeNotifications;
}

/** What was done: the answer, and what the desk shows of it. */
export interface Outcome<Answer extends object = Told> {
  answer: Answer;
  text: string;
  userIds: readonly string[];
  events: readonly EventRef[];
}

/** A verb with what it is asked: read, and not done yet. */
export interface Order {
  input: unknown;
  run(work: Work): Promise<Outcome<object>>;
}

/** Reads what is asked, or refuses it. */
export type Verb = (body: unknown) => Order;

export function verb<Input>(read: Reader<Input>, run: (work: Work, input: Input) => Promise<Outcome<object>>): Verb {
  return (body) => {
    const input = read(body, '');
    return { input, run: (work) => run(work, input) };
  };
}

export const newId = (kind: string): string => `${kind}-${randomBytes(9).toString('base64url')}`;

export function told(id: string, events: EventRef[], text: string, userIds: readonly string[]): Outcome {
  return { answer: { id, events }, text, userIds, events };
}
