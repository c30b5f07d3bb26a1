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

  constructor(nats: NatsConnection) {
    this.nats = nats;
    this.#stream = jetstream(nats);
  }

  /** Resolves once the stream has stored it. Every try has the same id, so that it is stored once. */
  publish({ kind, id, bytes }: Encoded, options: CallOptions): Promise<Published> {
    return this.#retry(options, async () => {
      const ack = await this.#stream.publish(`ww.event.${kind}`, bytes, { msgID: `${kind}/${id}`, timeout: TRY_MS });
      return { id, seq: ack.seq, duplicate: ack.duplicate };
    });
  }

  async ask<Request extends DescMessage, Reply extends DescMessage>(
    subject: string,
    [requestSchema, request]: [Request, MessageShape<Request>],
    replySchema: Reply,
    options: CallOptions,
  ): Promise<MessageShape<Reply>> {
    const bytes = toBinary(requestSchema, request);
    return this.#retry(options, async () => {
      const answer = await this.nats.request(subject, bytes, { timeout: TRY_MS });
      const reply = fromBinary(replySchema, answer.data);
      const { error } = reply as { error?: WireError };
      if (error) throw refusal(error);
      return reply;
    });
  }

  async #retry<T>({ timeoutMs = 30_000, signal }: CallOptions, call: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    for (let waitMs = 50; ; waitMs = Math.min(2 * waitMs, WAIT_MAX_MS)) {
      signal?.throwIfAborted();
      try {
        return await call();
      } catch (cause) {
        const error = translate(cause);
        if (!error.temporary || Date.now() + waitMs > deadline) throw error;
        await sleep(Math.random() * waitMs, undefined, signal && { signal });
      }
    }
  }
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
