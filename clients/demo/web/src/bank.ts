// What the pages ask of the bank, under the types of its own.
import type { Refusal, Routes } from '../../bank/src/api';
import { randomKey } from './id';
import { strings } from './strings';

export type * from '../../bank/src/api';

export class BankError extends Error {
  readonly code: string;
  /** What is to blame of what was sent. */
  readonly field: string | undefined;

  constructor(code: string, message: string, field?: string) {
    super(message);
    this.name = 'BankError';
    this.code = code;
    this.field = field;
  }
}

export interface BankOptions {
  signal?: AbortSignal;
  /** The idempotency key, so that asking again is safe. */
  key?: string;
}

/** Asks the bank; fails with a BankError, or with what `signal` was aborted with. */
export async function askBank<Route extends keyof Routes>(
  route: Route,
  body?: Routes[Route][0],
  { signal, key = randomKey() }: BankOptions = {},
): Promise<Routes[Route][1]> {
  const [method, path] = route.split(' ') as [string, string];
  const headers = method === 'POST' ? { 'Content-Type': 'application/json', 'Idempotency-Key': key } : {};
  const init = {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  };
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(`/bank/api${path}`, init);
    answer = await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new BankError('unavailable', strings.errors.bankAway);
  }
  if (response.ok) return answer as Routes[Route][1];
  const { error } = answer as Partial<Refusal>;
  throw new BankError(error?.code ?? 'internal', error?.message ?? strings.errors.bankFailed, error?.field);
}

/** What to tell people of a failure. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
