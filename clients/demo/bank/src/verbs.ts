// All verbs, by the last word of their route.

import { type Verb as Name } from './api.js';
import { friends, recall, revoke } from './controls.js';
import { card, deposit, pay, send, withdraw } from './movements.js';
import { alert, broadcast, kyc, limit } from './notices.js';
import { transfer } from './transfers.js';
import { type Verb } from './verb.js';

export const VERBS = {
  send,
  transfer,
  pay,
  deposit,
  withdraw,
  card,
  alert,
  limit,
  kyc,
  broadcast,
  recall,
  revoke,
  friends,
} as const satisfies Record<Name, Verb>;
