// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from 'vitest';

import { BankError } from '../src/bank';
import { loadSession, saveSession, type Session, tokensOf } from '../src/wallet/session';

const session = (token: string, endsInS: number): Session => ({
  userId: 'alice',
  token,
  expiresAt: new Date(Date.now() + endsInS * 1000).toISOString(),
});

beforeEach(() => sessionStorage.clear());

test('a session outlives the page, until it is over', () => {
  const mine = session('t', 3600);
  saveSession(mine);
  expect(loadSession()).toEqual(mine);
  saveSession(undefined);
  expect(loadSession()).toBeUndefined();
});

test.each(['{', 'null', '{}', '{"userId":"alice"}'])('what is no session is none: %s', (stored) => {
  sessionStorage.setItem('walletwire:session', stored);
  expect(loadSession()).toBeUndefined();
});

test('a token is used as long as it is good, then renewed', async () => {
  const renew = vi.fn(() => Promise.resolve(session('second', 3600)));
  const good = tokensOf(session('first', 3600), renew);
  expect(await good({ reason: 'connect' })).toBe('first');
  expect(renew).not.toHaveBeenCalled();
  expect(await good({ reason: 'expiring' })).toBe('second');
  expect(await good({ reason: 'connect' })).toBe('second');
  expect(renew).toHaveBeenCalledTimes(1);

  const old = tokensOf(session('old', 10), renew);
  expect(await old({ reason: 'connect' })).toBe('second');
  expect(await good({ reason: 'refused', code: 'token_expired' })).toBe('second');
  expect(renew).toHaveBeenLastCalledWith('alice');
});

test('a session that the bank ended is over', async () => {
  const renew = vi.fn(() => Promise.resolve(session('second', 3600)));
  expect(await tokensOf(session('first', 3600), renew)({ reason: 'refused', code: 'token_revoked' })).toBeNull();
  expect(renew).not.toHaveBeenCalled();
});

test('whom the bank does not know is signed out; a bank that is away is asked again', async () => {
  const failing = (code: string) => tokensOf(session('old', 1), () => Promise.reject(new BankError(code, 'no')));
  expect(await failing('invalid')({ reason: 'connect' })).toBeNull();
  await expect(failing('unavailable')({ reason: 'connect' })).rejects.toThrow('no');
});
