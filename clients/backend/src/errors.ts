/** `invalid`: the data is wrong, see `field`; `aborted`: by the caller; the rest as the services answer, or of the connection to NATS. */
export type BackendErrorCode =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'rate_limited'
  | 'unavailable'
  | 'timeout'
  | 'aborted'
  | 'internal';

const TEMPORARY: ReadonlySet<string> = new Set(['rate_limited', 'unavailable', 'timeout']);

/** The one class of errors of this package. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  readonly code: BackendErrorCode;
  /** Whether the same call may succeed later. */
  readonly temporary: boolean;
  /** The field that is to blame. */
  readonly field: string | undefined;
  /** Of an event that was sent, and stored or not: publishing it again with this `eventId` changes nothing if it was. */
  readonly id: string | undefined;

  constructor(code: BackendErrorCode, message: string, options: { field?: string; id?: string; cause?: unknown } = {}) {
    super(options.field === undefined ? message : `${options.field} ${message}`, { cause: options.cause });
    this.code = code;
    this.temporary = TEMPORARY.has(code);
    this.field = options.field;
    this.id = options.id;
  }
}

export function invalid(field: string, message: string): BackendError {
  return new BackendError('invalid', message, { field });
}
