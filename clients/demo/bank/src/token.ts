// Signs people in. It asks for no password: whoever reaches the demo may be any of its ready-made users.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { SignJWT } from 'jose';

import { type SignedIn } from './api.js';
import { type Database } from './db.js';
import { PEOPLE, personOf } from './people.js';
import { choice, object } from './read.js';

const KEY_ID = 'dev';
const LIFE_S = 3600;

const readSignIn = object({ userId: choice(...PEOPLE.map(({ id }) => id)) });

export async function signIn(db: Database, keysDir: string, body: unknown): Promise<SignedIn> {
  const { userId } = readSignIn(body, '');
  const iat = await firstSecond(db, userId);
  const exp = iat + LIFE_S;
  // Read anew, since a key may be replaced while we run.
  const key = await readFile(join(keysDir, `${KEY_ID}.hs256`));
  const token = await new SignJWT({ ...personOf(userId).claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: KEY_ID })
    .setSubject(userId)
    .setJti(randomUUID())
    .setIssuedAt(iat)
    .setExpirationTime(exp)
    .sign(key);
  return { token, expiresAt: new Date(1000 * exp).toISOString() };
}

// A revocation ends the tokens of its second, too, so that whoever was signed out waits until it is over.
async function firstSecond(db: Database, userId: string): Promise<number> {
  const [row] = await db.snapshot((tx) =>
    tx.query<{ at: Date }>('SELECT at FROM bank.revocations WHERE user_id = $1', [userId]),
  );
  if (row) {
    const endMs = 1000 * (Math.floor(row.at.getTime() / 1000) + 1);
    while (Date.now() < endMs) await sleep(Math.min(endMs - Date.now(), 1000));
  }
  return Math.floor(Date.now() / 1000);
}
