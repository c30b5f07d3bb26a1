// How a request can fail: one table, one class of errors.

import { BackendError } from '@walletwire/backend';

import { type Refusal } from './api.js';

type Code = Refusal['error']['code'];

export const STATUS: Readonly<Record<Code, number>> = {
  invalid: 400,
  not_found: 404,
  method: 405,
  conflict: 409,
  too_large: 413,
  media_type: 415,
  internal: 500,
  unavailable: 503,
};

/** What a client is told. Everything else that is thrown is our mistake, and it hears nothing of it. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly code: Code;
  readonly field: string | undefined;

  constructor(code: Code, message: string, options: { field?: string; cause?: unknown } = {}) {
    super(options.field === undefined ? message : `${options.field} ${message}`, { cause: options.cause });
    this.code = code;
    this.field = options.field;
  }
}

export function invalid(field: string, message: string): Refused {
  return new Refused('invalid', message, { field });
}

/** What the services say of a request of ours, in our words: it was about what `field` names. */
export function fromService(error: unknown, field: string): unknown {
  if (!(error instanceof BackendError)) return error;
  if (error.temporary) return new Refused('unavailable', 'a service does not answer now', { cause: error });
  if (error.code === 'not_found') return new Refused('not_found', 'is not known', { field, cause: error });
  if (error.code === 'invalid') return new Refused('invalid', 'was refused', { field, cause: error });
  return error;
}
