// Who is signed in to this tab, over reloads of it, and how their tokens are got.
import { type TokenProvider } from '@walletwire/client';

import { askBank, BankError, type SignedIn } from '../bank';

export interface Session extends SignedIn {
  userId: string;
}

const KEY = 'walletwire:session';
/** A token that ends sooner is not worth a connection. */
const RESERVE_MS = 30_000;

export function loadSession(): Session | undefined {
  try {
    const session = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as Partial<Session> | null;
    return session?.userId && session.token && session.expiresAt ? (session as Session) : undefined;
  } catch {
    return undefined;
  }
}

export function saveSession(session: Session | undefined): void {
  if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
  else sessionStorage.removeItem(KEY);
}

export async function signIn(userId: string): Promise<Session> {
  const session = { userId, ...(await askBank('POST /sign-in', { userId })) };
  saveSession(session);
  return session;
}

/**
 * Keeps the token as long as it is good, so that one which the bank revoked stays what it is: over. `renew` gets another
 * one of the same user.
 */
export function tokensOf(first: Session, renew: (userId: string) => Promise<Session> = signIn): TokenProvider {
  let session = first;
  return async (request) => {
    if (request.reason === 'refused' && request.code === 'token_revoked') return null;
    const isGood = Date.parse(session.expiresAt) - Date.now() > RESERVE_MS;
    if (request.reason === 'connect' && isGood) return session.token;
    try {
      session = await renew(session.userId);
    } catch (error) {
      // The demo's users can be others after it was started anew.
      if (error instanceof BankError && (error.code === 'not_found' || error.code === 'invalid')) return null;
      throw error;
    }
    return session.token;
  };
}
