// Verbs that move money at once.

import { post } from './ledger.js';
import { amountOf, CURRENCY, moneyOf } from './money.js';
import { firstName, personOf, walletOf } from './people.js';
import { amount, choice, customer, object, optional, text } from './read.js';
import { invalid } from './refused.js';
import { tell } from './tell.js';
import { newId, told, verb, type Work } from './verb.js';

const NOTE_MAX = 140;
const MERCHANT_MAX = 60;
export const note = optional(text(NOTE_MAX), '');

export const sendFields = { from: customer, to: customer, amount, note };

export function checkSides({ from, to }: { from: string; to: string }): void {
  if (from === to) throw invalid('to', 'must be somebody else');
}

/** Who is who in an event about money between two people. */
export function sidesOf({ from, to }: { from: string; to: string }): object {
  return {
    type: 'p2p',
    sender: { userId: from, name: personOf(from).name },
    recipient: { userId: to, name: personOf(to).name },
  };
}

export const send = verb(object(sendFields), async ({ tx }, input) => {
  const { from, to, amount: units, note: message } = input;
  const id = newId('tx');
  checkSides(input);
  await post(tx, id, 'send', [
    { account: walletOf(from), units: -units },
    { account: walletOf(to), units },
  ]);
  const event = await tell(tx, {
    kind: 'transaction',
    key: walletOf(from),
    id: `${id}/completed`,
    body: { transactionId: id, ...sidesOf(input), status: 'completed', ...money(units), message },
  });
  return told(id, [event], `${firstName(from)} sent ${firstName(to)} ${moneyOf(units)}`, [from, to]);
});

export const pay = verb(
  object({ userId: customer, merchant: text(MERCHANT_MAX), amount }),
  async ({ tx }, { userId, merchant, amount: units }) => {
    const id = newId('pay');
    await post(tx, id, 'pay', [
      { account: walletOf(userId), units: -units },
      { account: 'shops', units },
    ]);
    const event = await tell(tx, {
      kind: 'payment',
      key: walletOf(userId),
      id: `${id}/completed`,
      userIds: [userId],
      title: `Paid at ${merchant}`,
      text: `${moneyOf(units)} left your wallet.`,
      body: { referenceId: id, status: 'completed', ...money(units), message: merchant },
    });
    return told(id, [event], `${firstName(userId)} paid ${moneyOf(units)} at ${merchant}`, [userId]);
  },
);

/** Between a wallet and other banks. */
function outside(kind: 'deposit' | 'withdrawal', sign: bigint, does: string, otherwise: string) {
  return async ({ tx }: Work, input: { userId: string; amount: bigint; note: string }) => {
    const { userId, amount: units } = input;
    const id = newId(kind === 'deposit' ? 'dep' : 'wd');
    await post(tx, id, kind, [
      { account: walletOf(userId), units: sign * units },
      { account: 'world', units: -sign * units },
    ]);
    const event = await tell(tx, {
      kind,
      key: walletOf(userId),
      id: `${id}/completed`,
      userIds: [userId],
      body: { referenceId: id, status: 'completed', ...money(units), message: input.note || otherwise },
    });
    return told(id, [event], `${firstName(userId)} ${does} ${moneyOf(units)}`, [userId]);
  };
}

const outsideFields = object({ userId: customer, amount, note });
export const deposit = verb(outsideFields, outside('deposit', 1n, 'was paid', 'From your bank account'));
export const withdraw = verb(outsideFields, outside('withdrawal', -1n, 'withdrew', 'To your bank account'));

const CARD = {
  purchase: { sign: -1n, title: 'Card payment at', does: 'paid by card at' },
  refund: { sign: 1n, title: 'Refund from', does: 'had a refund from' },
  declined: { sign: 0n, title: 'Card declined at', does: 'had the card declined at' },
} as const;

export const card = verb(
  object({
    userId: customer,
    type: optional(choice('purchase', 'refund', 'declined'), 'purchase'),
    merchant: text(MERCHANT_MAX),
    amount,
  }),
  async ({ tx }, { userId, type, merchant, amount: units }) => {
    const id = newId('card');
    const { sign, title, does } = CARD[type];
    if (sign !== 0n)
      await post(tx, id, `card ${type}`, [
        { account: walletOf(userId), units: sign * units },
        { account: 'shops', units: -sign * units },
      ]);
    const event = await tell(tx, {
      kind: 'card',
      key: walletOf(userId),
      id,
      userIds: [userId],
      title: `${title} ${merchant}`,
      text: `${moneyOf(units)}, card ending in ${LAST4[userId] ?? ''}.`,
      body: { cardId: `card-of-${userId}`, last4: LAST4[userId] ?? '', type, merchant, ...money(units) },
    });
    return told(id, [event], `${firstName(userId)} ${does} ${merchant}: ${moneyOf(units)}`, [userId]);
  },
);

const LAST4: Readonly<Record<string, string>> = { alice: '4242', bob: '1881', carol: '0005', dave: '8431' };

export function money(units: bigint): { amount: string; currency: string } {
  return { amount: amountOf(units), currency: CURRENCY };
}
