import { fromBinary, toBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import { errors, type NatsConnection } from '@nats-io/nats-core';
import { setTimeout as sleep } from 'node:timers/promises';

import { BackendError, type BackendErrorCode } from './errors.js';
import { type Encoded } from './events.js';
import { type Error as WireError } from './generated/walletwire/v1/common_pb.js';

const TRY_MS = 5000;
const WAIT_MAX_MS = 2000;

export interface CallOptions {
  /** Gives up after so many milliseconds of trying: 30,000. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/** What was stored of an event. */
export interface Published {
  id: string;
  /** Its number in the stream. */
  seq: number;
  /** It had been there already. */
  duplicate: boolean;
}

/** Publishing and asking over one connection to NATS, tried again until it is answered. */
export class Connection {
  readonly nats: NatsConnection;
  readonly #stream: JetStreamClient;
  readonly #calls = new Set<Promise<unknown>>();

  constructor(nats: NatsConnection) {
    this.nats = nats;
    this.#stream = jetstream(nats);
  }

  /** Resolves once the stream has stored it. Every try has the same id, so that it is stored once. */
  publish({ kind, id, bytes }: Encoded, options: CallOptions): Promise<Published> {
    return this.#retry(options, async (timeout) => {
      const ack = await this.#stream.publish(`ww.event.${kind}`, bytes, { msgID: `${kind}/${id}`, timeout });
      return { id, seq: ack.seq, duplicate: ack.duplicate };
    }).catch((error: unknown) => {
      const { code, message, cause } = translate(error);
      throw new BackendError(code, message, { cause, id });
    });
  }

  async ask<Request extends DescMessage, Reply extends DescMessage>(
    subject: string,
    [requestSchema, request]: [Request, MessageShape<Request>],
    replySchema: Reply,
    options: CallOptions,
  ): Promise<MessageShape<Reply>> {
    const bytes = toBinary(requestSchema, request);
    return this.#retry(options, async (timeout) => {
      const answer = await this.nats.request(subject, bytes, { timeout });
      const reply = fromBinary(replySchema, answer.data);
      const { error } = reply as { error?: WireError };
      if (error) throw refusal(error);
      return reply;
    });
  }

  /** Ends what is under way, well or not, then the connection. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#calls);
    await this.nats.drain();
  }

  #retry<T>(options: CallOptions, call: (timeoutMs: number) => Promise<T>): Promise<T> {
    const result = retry(options, call).finally(() => this.#calls.delete(result));
    this.#calls.add(result);
    return result;
  }
}

// `call` is told how many milliseconds it may take.
async function retry<T>(
  { timeoutMs = 30_000, signal }: CallOptions,
  call: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (let waitMs = 50; ; waitMs = Math.min(2 * waitMs, WAIT_MAX_MS)) {
    try {
      const leftMs = Math.max(deadline - Date.now(), 1);
      return await unlessAborted(() => call(Math.min(leftMs, TRY_MS)), signal);
    } catch (cause) {
      const error = translate(cause);
      if (!error.temporary || Date.now() + waitMs > deadline) throw error;
      await unlessAborted(() => sleep(Math.random() * waitMs, undefined, signal && { signal }), signal);
    }
  }
}

function unlessAborted<T>(start: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return start();
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new BackendError('aborted', 'the call was aborted', { cause: signal.reason }));
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    start()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

function refusal({ code, message, field }: WireError): BackendError {
  return new BackendError(code as BackendErrorCode, message, field ? { field } : {});
}

/** A connection that is lost comes back by itself; what is refused stays refused. */
function translate(cause: unknown): BackendError {
  if (cause instanceof BackendError) return cause;
  if (cause instanceof errors.PermissionViolationError) return new BackendError('forbidden', cause.message, { cause });
  if (cause instanceof errors.ClosedConnectionError)
    return new BackendError('internal', 'the connection is closed', { cause });
  if (cause instanceof errors.TimeoutError) return new BackendError('timeout', 'no answer in time', { cause });
  return new BackendError('unavailable', cause instanceof Error ? cause.message : String(cause), { cause });
}
