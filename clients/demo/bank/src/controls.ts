// Verbs that ask Walletwire's services. They are idempotent by themselves: one whose commit fails is asked again.

import { type FriendsSet, type Recalled, type Revoked } from './api.js';
import { CUSTOMERS, firstName, PEOPLE } from './people.js';
import { choice, customer, eventId, list, object, type Reader } from './read.js';
import { invalid, fromService } from './refused.js';
import { type Outcome, verb } from './verb.js';

const CALL = { timeoutMs: 4000 } as const; // below what a transaction may wait
const BY = { ...CALL, askedBy: 'demo bank' } as const;

async function asked<T>(field: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw fromService(error, field);
  }
}

const kind = choice(
  ...(['transaction', 'transfer', 'payment', 'deposit', 'withdrawal', 'security', 'limit', 'kyc', 'card'] as const),
  'announcement',
);

export const recall = verb(object({ kind, id: eventId }), async ({ services }, input): Promise<Outcome<Recalled>> => {
  const recalled = await asked('id', services.recall(input.kind, input.id, BY));
  return { answer: { recalled }, text: `Recalled a ${input.kind} event`, userIds: [], events: [] };
});

/** Anybody, also who has no wallet. */
const anybody: Reader<string> = (value, field) => choice(...PEOPLE.map(({ id }) => id))(value, field);

export const revoke = verb(
  object({ userId: anybody }),
  async ({ tx, services }, { userId }): Promise<Outcome<Revoked>> => {
    await asked('userId', services.revoke({ userId }, 'signed out by the bank', BY));
    await tx.query(
      `INSERT INTO bank.revocations (user_id, at) VALUES ($1, clock_timestamp())
       ON CONFLICT (user_id) DO UPDATE SET at = excluded.at`,
      [userId],
    );
    return {
      answer: { userId },
      text: `${firstName(userId)} was signed out everywhere`,
      userIds: [userId],
      events: [],
    };
  },
);

export const friends = verb(
  object({ userId: customer, friends: list(customer, CUSTOMERS.length) }),
  async ({ services }, input): Promise<Outcome<FriendsSet>> => {
    const at = input.friends.indexOf(input.userId);
    if (at >= 0) throw invalid(`friends[${at}]`, 'is the user');
    const answer = await asked('friends', services.setFriends(input.userId, input.friends, CALL));
    const names = input.friends.map(firstName).join(', ') || 'nobody';
    return {
      answer,
      text: `${firstName(input.userId)}'s friends are ${names}`,
      userIds: [input.userId, ...input.friends],
      events: [],
    };
  },
);
