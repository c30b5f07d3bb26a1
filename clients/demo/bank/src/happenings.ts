// What may happen on a slow day. Pure: from the wallets as they are to one order, so that no wallet runs empty or over.

import { type Verb } from './api.js';
import { amountOf } from './money.js';

export interface Purse {
  userId: string;
  units: bigint;
}

export interface Happening {
  what: Verb;
  body: object;
}

/** From 0 to below 1, as Math.random. */
export type Random = () => number;

const LOW = 20_000n; // a wallet below is paid before anything else
const HIGH = 500_000n; // one above takes something out
const SHARE = 20n; // what leaves a wallet is at most a 20th of it
const WAGES = 150_000n;

const SHOPS = ['Corner Bakery', 'Book Harbour', 'Metro', 'Green Grocer', 'Cinema Lux', 'Bike Works'] as const;
const NOTES = ['Dinner on Friday', 'Coffee', 'Tickets', 'Rent, my share', 'Thank you!', 'For the present'] as const;
const ALERTS = [
  { severity: 'low', message: 'Your password was changed', action: 'Was it you? Then there is nothing to do' },
  { severity: 'medium', message: 'New sign-in from Lisbon', action: 'Was it you? If not, change your password' },
  { severity: 'high', message: 'Three wrong codes for your card', action: 'Look at your last card payments' },
] as const;

interface Cast {
  actor: Purse;
  other: Purse;
  random: Random;
}

/** The larger the weight, the more often. */
const SCENES: readonly { weight: number; scene: (cast: Cast) => Happening }[] = [
  { weight: 6, scene: ({ actor, other, random }) => ({ what: 'send', body: between(actor, other, random) }) },
  {
    weight: 4,
    scene: ({ actor, other, random }) => ({
      what: 'transfer',
      body: { ...between(actor, other, random), seconds: 4 + whole(random, 8), fails: random() < 0.1 },
    }),
  },
  { weight: 4, scene: ({ actor, random }) => ({ what: 'pay', body: shopping(actor, random) }) },
  {
    weight: 4,
    scene: ({ actor, random }) => ({
      what: 'card',
      body: { ...shopping(actor, random), type: random() < 0.15 ? 'declined' : 'purchase' },
    }),
  },
  {
    weight: 2,
    scene: ({ actor, random }) => ({
      what: 'deposit',
      body: { userId: actor.userId, amount: amountOf(part(10_000n, random)), note: 'From your savings' },
    }),
  },
  {
    weight: 1,
    scene: ({ actor, random }) => ({ what: 'alert', body: { userId: actor.userId, ...pick(ALERTS, random) } }),
  },
];

export function nextHappening(purses: readonly Purse[], random: Random): Happening | undefined {
  if (purses.length < 2) return undefined;
  const poor = purses.find(({ units }) => units < LOW);
  if (poor) return { what: 'deposit', body: { userId: poor.userId, amount: amountOf(WAGES), note: 'Wages' } };
  const rich = purses.find(({ units }) => units > HIGH);
  if (rich)
    return { what: 'withdraw', body: { userId: rich.userId, amount: amountOf(WAGES), note: 'To your savings' } };
  const actor = pick(purses, random);
  const others = purses.filter((purse) => purse !== actor);
  let left = random() * SCENES.reduce((sum, { weight }) => sum + weight, 0);
  const chosen = SCENES.find(({ weight }) => (left -= weight) < 0);
  return chosen?.scene({ actor, other: pick(others, random), random });
}

function between({ userId, units }: Purse, other: Purse, random: Random): object {
  return { from: userId, to: other.userId, amount: amountOf(part(units / SHARE, random)), note: pick(NOTES, random) };
}

function shopping({ userId, units }: Purse, random: Random): object {
  return { userId, merchant: pick(SHOPS, random), amount: amountOf(part(units / SHARE, random)) };
}

const whole = (random: Random, below: number): number => Math.floor(random() * below);

/** At least a unit, at most `units`. */
const part = (units: bigint, random: Random): bigint => 1n + BigInt(whole(random, Number(units)));

const pick = <T>(from: readonly T[], random: Random): T => from[whole(random, from.length)] as T;
