import { type Message } from '@bufbuild/protobuf';

import { invalid } from './errors.js';
import { type Data } from './fill.js';

const ID_MAX = 128;
const USERS_MAX = 256;
const PROGRESS_MAX = 100;
const LAST4_MAX = 4;
const CURRENCY = /^[A-Z0-9]{1,12}$/;

interface Rule {
  /** Fields that may not be empty. */
  required: readonly string[];
  /** Fields that hold an amount: all of them, or none and no currency. */
  amounts?: readonly string[];
}

const MONEY: Rule = { required: ['referenceId', 'status', 'amount', 'currency'], amounts: ['amount'] };

/** What the services refuse, found before anything is sent: a stream takes whatever it is given. */
const RULES: Readonly<Record<string, Rule>> = {
  balance: { required: ['walletId', 'availableBalance', 'currency'], amounts: ['availableBalance'] },
  transaction: { required: ['transactionId', 'status', 'amount', 'currency'], amounts: ['amount'] },
  transfer: { required: ['transferId', 'state'], amounts: ['amount'] },
  payment: MONEY,
  deposit: MONEY,
  withdrawal: MONEY,
  security: { required: ['severity', 'message'] },
  limit: { required: ['limit'], amounts: [] },
  kyc: { required: ['status'] },
  card: { required: ['cardId'], amounts: ['amount'] },
  announcement: { required: [] },
};

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export function checkId(field: string, id: unknown): void {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  if (typeof id !== 'string' || id === '' || Buffer.byteLength(id) > ID_MAX || /[\u0000-\u001f\u007f]/.test(id)) {
    throw invalid(field, `must be a text of 1 to ${ID_MAX} bytes without control characters`);
  }
}

export function checkUsers(kind: string, userIds: readonly string[]): void {
  if (userIds.length > USERS_MAX) throw invalid('event.user_ids', `names more than ${USERS_MAX} users`);
  if (userIds.length === 0 && kind !== 'transaction' && kind !== 'announcement') {
    throw invalid('event.user_ids', 'names nobody');
  }
  for (const id of userIds) checkId('event.user_ids', id);
}

export function checkBody(kind: string, body: Message): void {
  const { required, amounts = [] } = RULES[kind] ?? { required: [] };
  const data = body as unknown as Data;
  for (const field of required) if (!data[field]) throw invalid(`${kind}.${snake(field)}`, 'is missing');
  for (const [field, value] of Object.entries(data))
    if (field.endsWith('Id')) checkId(`${kind}.${snake(field)}`, value);
  checkCurrency(kind, data, amounts);
  if (kind === 'transaction') checkParties(data);
  if (Number(data.progress ?? 0) > PROGRESS_MAX) throw invalid(`${kind}.progress`, `is above ${PROGRESS_MAX}`);
  // A whole card number must not be stored by way of this field.
  if (typeof data.last4 === 'string' && data.last4.length > LAST4_MAX)
    throw invalid(`${kind}.last4`, `is longer than ${LAST4_MAX}`);
}

function checkCurrency(kind: string, { currency, ...data }: Data, amounts: readonly string[]): void {
  if (!currency && !amounts.some((field) => data[field])) return;
  const absent = amounts.find((field) => !data[field]);
  if (absent !== undefined) throw invalid(`${kind}.${snake(absent)}`, 'is missing');
  if (!CURRENCY.test(String(currency))) throw invalid(`${kind}.currency`, 'must be 1 to 12 of A-Z and 0-9, like EUR');
}

function checkParties({ sender, recipient }: Data): void {
  const parties = { sender, recipient } as Record<string, { userId: string } | undefined>;
  const named = Object.entries(parties).filter(([, party]) => party);
  if (named.length === 0) throw invalid('transaction', 'names neither a sender nor a recipient');
  for (const [side, party] of named) checkId(`transaction.${side}_id`, party?.userId);
}
