// The ready-made users: who they are, what their tokens say, what they begin with.

import { type User } from './api.js';

export interface Person extends User {
  /** Claims of their tokens; segments of announcements look at them. */
  claims: Readonly<Record<string, string>>;
  /** Units in the wallet at first; undefined: there is no wallet. */
  opening?: bigint;
  friends: readonly string[];
}

export const PEOPLE: readonly Person[] = [
  {
    id: 'alice',
    name: 'Alice Moreau',
    role: 'Designer, always travelling',
    colour: '#7c3aed',
    claims: { country: 'FR', lang: 'en', tier: 'gold' },
    opening: 184_250n,
    friends: ['bob', 'carol', 'dave'],
  },
  {
    id: 'bob',
    name: 'Bob Tanaka',
    role: 'Runs a coffee bar',
    colour: '#0f766e',
    claims: { country: 'DE', lang: 'en', tier: 'gold' },
    opening: 96_080n,
    friends: ['alice', 'carol'],
  },
  {
    id: 'carol',
    name: 'Carol Okafor',
    role: 'Student, saves for a bicycle',
    colour: '#b45309',
    claims: { country: 'DE', lang: 'de', tier: 'basic' },
    opening: 41_575n,
    friends: ['alice', 'bob'],
  },
  {
    id: 'dave',
    name: 'Dave Lindqvist',
    role: 'Plumber, paid by the job',
    colour: '#be123c',
    claims: { country: 'SE', lang: 'en', tier: 'basic' },
    opening: 127_300n,
    friends: ['alice'],
  },
  {
    id: 'ops',
    name: 'Operations',
    role: 'Watches the edges',
    colour: '#334155',
    claims: { role: 'ops' },
    friends: [],
  },
];

export const CUSTOMERS = PEOPLE.filter(({ opening }) => opening !== undefined);

export function personOf(id: string): Person {
  const person = PEOPLE.find((one) => one.id === id);
  if (!person) throw new Error(`there is no user ${id}`);
  return person;
}

export const firstName = (id: string): string => personOf(id).name.split(' ', 1).join();

/** Everybody has one wallet. */
export const walletOf = (userId: string): string => `${userId}-eur`;

/** What pages may know of somebody. */
export function userOf({ id, name, role, colour }: Person): User {
  return { id, name, role, colour };
}
