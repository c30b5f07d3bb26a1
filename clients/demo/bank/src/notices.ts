// Verbs that tell people something without moving money.

import { type Severity } from './api.js';
import { CURRENCY, amountOf, moneyOf } from './money.js';
import { firstName, walletOf } from './people.js';
import { amount, choice, customer, list, object, optional, text, within } from './read.js';
import { tell } from './tell.js';
import { newId, told, verb } from './verb.js';

const MESSAGE_MAX = 500;
const ACTION_MAX = 140;
const WORD_MAX = 40;
const AUDIENCE_MAX = 20; // members of one list
const CLAIM_MAX = 16;
const DAY_S = 86_400;

const severity = choice('low', 'medium', 'high', 'critical');
const PRIORITY = { low: 'low', medium: 'normal', high: 'high', critical: 'critical' } as const satisfies Record<
  Severity,
  string
>;

export const alert = verb(
  object({
    userId: customer,
    severity,
    message: text(MESSAGE_MAX),
    action: optional(text(ACTION_MAX), ''),
  }),
  async ({ tx }, { userId, ...body }) => {
    const id = newId('sec');
    const event = await tell(tx, {
      kind: 'security',
      key: walletOf(userId),
      id,
      userIds: [userId],
      title: body.severity === 'critical' ? 'Act now: your account is at risk' : 'Security alert',
      body,
    });
    return told(id, [event], `${firstName(userId)} had a security alert (${body.severity})`, [userId]);
  },
);

export const limit = verb(
  object({
    userId: customer,
    limit: text(WORD_MAX),
    period: optional(choice('daily', 'weekly', 'monthly'), 'daily'),
    used: amount,
    max: amount,
  }),
  async ({ tx }, { userId, used, max, limit: name, period }) => {
    const id = newId('lim');
    const reached = used >= max ? 'is used up' : `is used to ${(used * 100n) / max} %`;
    const event = await tell(tx, {
      kind: 'limit',
      key: walletOf(userId),
      id,
      userIds: [userId],
      title: `Your ${period} ${name} limit ${reached}`,
      text: `${moneyOf(used)} of ${moneyOf(max)}.`,
      body: { limit: name, period, used: amountOf(used), max: amountOf(max), currency: CURRENCY },
    });
    return told(id, [event], `${firstName(userId)}'s ${period} ${name} limit ${reached}`, [userId]);
  },
);

const KYC = {
  pending: { title: 'We are checking your identity', message: 'It takes a minute or two.' },
  verified: { title: 'Your identity is confirmed', message: 'Everything is open to you.' },
  rejected: { title: 'We could not confirm your identity', message: 'Please send a picture that can be read.' },
  expired: { title: 'Your identity has to be confirmed anew', message: 'Your document has expired.' },
} as const;

export const kyc = verb(
  object({
    userId: customer,
    status: choice('pending', 'verified', 'rejected', 'expired'),
    level: optional(choice('basic', 'full'), 'full'),
    message: optional(text(MESSAGE_MAX)),
  }),
  async ({ tx }, { userId, status, level, message = KYC[status].message }) => {
    const id = newId('kyc');
    const event = await tell(tx, {
      kind: 'kyc',
      key: walletOf(userId),
      id,
      userIds: [userId],
      title: KYC[status].title,
      text: message,
      body: { status, level, message },
    });
    return told(id, [event], `${firstName(userId)}'s identity is ${status}`, [userId]);
  },
);

const claims = optional(list(text(CLAIM_MAX), AUDIENCE_MAX), []);

export const broadcast = verb(
  object({
    title: text(80),
    message: text(MESSAGE_MAX),
    severity: optional(severity, 'medium'),
    audience: optional(object({ countries: claims, languages: claims, tiers: claims })),
    expiresInSeconds: optional(within(1, DAY_S)),
  }),
  async ({ tx }, input) => {
    const { title, message, audience, expiresInSeconds } = input;
    const id = newId('ann');
    const event = await tell(tx, {
      kind: 'announcement',
      key: 'announcements',
      id,
      title,
      text: message,
      priority: PRIORITY[input.severity],
      ...(expiresInSeconds !== undefined && {
        expiresAt: new Date(Date.now() + 1000 * expiresInSeconds).toISOString(),
      }),
      body: { ...(audience && { segment: audience }) },
    });
    return told(id, [event], `Announced to ${audience ? 'some' : 'everybody'}: ${title}`, []);
  },
);
