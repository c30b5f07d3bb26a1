/** Why a token is asked for: to connect, since the last one ends within a minute, or since it was refused. */
export type TokenRequest = { reason: 'connect' | 'expiring' } | { reason: 'refused'; code: string };

/** Returns a token of the same user each time; null if nobody is signed in any more. A failure is tried again. */
export type TokenProvider = (request: TokenRequest) => string | null | Promise<string | null>;

/** The user of a token, which only the server can verify: good enough to keep the data of two users apart. */
export function subjectOf(token: string): string {
  try {
    const claims = JSON.parse(decode(token.split('.')[1] ?? '')) as { sub?: unknown };
    return typeof claims.sub === 'string' ? claims.sub : '';
  } catch {
    return '';
  }
}

/** Why a connection failed whose provider returned a token of somebody else. */
export const OTHER_USER = 'token_other_user';

export class OtherUserError extends Error {}

/** The same provider, held to the user of its first token: with another one, one user would be shown what is the other's. */
export function ofOneUser(provide: TokenProvider, learn: (user: string) => void): TokenProvider {
  let user: string | undefined;
  return async (request) => {
    const token = await provide(request);
    if (token === null) return null;
    const subject = subjectOf(token);
    if (user !== undefined && subject !== user) throw new OtherUserError('the token is of another user');
    learn((user = subject));
    return token;
  };
}

function decode(base64url: string): string {
  const bytes = Uint8Array.from(atob(base64url.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}
