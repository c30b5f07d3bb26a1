import { STATUS_TEMPORARY, type StatusCode } from './generated/status.js';

/** Ways to fail that never reached a server, and whether another try may succeed. */
const LOCAL_TEMPORARY = {
  aborted: false,
  expired: false,
  offline: true,
  queue_full: true,
} as const;

export type ErrorCode = StatusCode | keyof typeof LOCAL_TEMPORARY;

const TEMPORARY: Readonly<Record<string, boolean>> = { ...STATUS_TEMPORARY, ...LOCAL_TEMPORARY };

export interface ErrorDetails {
  /** The field of the request that is to blame. */
  field?: string;
  /** When another try makes sense, in milliseconds. */
  retryAfterMs?: number;
}

/** The one class of errors of this package. */
export class RealtimeError extends Error {
  override readonly name = 'RealtimeError';
  readonly code: ErrorCode;
  /** Whether the same request may succeed later. */
  readonly temporary: boolean;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.temporary = TEMPORARY[code] ?? false;
    this.field = details.field;
    this.retryAfterMs = details.retryAfterMs;
  }
}

export function isTemporary(error: unknown): error is RealtimeError {
  return error instanceof RealtimeError && error.temporary;
}

export function aborted(): RealtimeError {
  return new RealtimeError('aborted', 'the request was aborted');
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && code in TEMPORARY;
}

/** What an acknowledgement says: its body, or the error it tells. */
export function unwrap(reply: unknown): unknown {
  if (typeof reply === 'object' && reply !== null && 'ok' in reply) {
    if (reply.ok === true) return reply;
    if ('error' in reply && typeof reply.error === 'object' && reply.error !== null) throw fromWire(reply.error);
  }
  throw new RealtimeError('internal', 'the answer makes no sense');
}

function fromWire(error: object): RealtimeError {
  const { code, message, field, retryAfterMs } = error as Record<string, unknown>;
  const details: ErrorDetails = {};
  if (typeof field === 'string') details.field = field;
  if (typeof retryAfterMs === 'number') details.retryAfterMs = retryAfterMs;
  return new RealtimeError(isCode(code) ? code : 'internal', typeof message === 'string' ? message : '', details);
}
