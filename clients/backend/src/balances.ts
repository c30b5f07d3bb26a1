import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Msg, type NatsConnection } from '@nats-io/nats-core';

import { BackendError } from './errors.js';
import { fill } from './fill.js';
import { ErrorSchema } from './generated/walletwire/v1/common_pb.js';
import { type BalanceEvent, BalanceEventSchema } from './generated/walletwire/v1/event_pb.js';
import { BalanceGetReplySchema, BalanceGetRequestSchema } from './generated/walletwire/v1/notifications_pb.js';
import { type AnyCase, type WalletInput } from './inputs.js';

const SUBJECT = 'ww.backend.notifications.balance_get';

/** All wallets of a user, read after the movement that is asked about was committed; null: there is no such user. */
export type WalletsOf = (userId: string) => Promise<readonly AnyCase<WalletInput>[] | null>;

export interface Responder {
  /** Answers what was asked already and no more. */
  stop(): Promise<void>;
}

export interface ResponderOptions {
  currency: string | undefined;
  /** Told of every question that was answered by `internal`. */
  onError: (error: unknown) => void;
}

/** Answers the questions about balances; of several processes one is asked. */
export function serveBalances(nats: NatsConnection, walletsOf: WalletsOf, options: ResponderOptions): Responder {
  const answers = new Set<Promise<void>>();
  const subscription = nats.subscribe(SUBJECT, {
    queue: 'backend',
    callback: (error, msg) => {
      if (error) {
        options.onError(error);
        return;
      }
      const answering = answer(msg, walletsOf, options).finally(() => answers.delete(answering));
      answers.add(answering);
    },
  });
  return {
    async stop() {
      if (!subscription.isClosed()) await subscription.drain();
      await Promise.all(answers);
    },
  };
}

async function answer(msg: Msg, walletsOf: WalletsOf, options: ResponderOptions): Promise<void> {
  let reply;
  try {
    const { userId } = fromBinary(BalanceGetRequestSchema, msg.data);
    const found = await walletsOf(userId);
    if (!found) throw new BackendError('not_found', 'there is no such user');
    const wallets = found.map(
      (wallet) => fill(BalanceEventSchema, { ...defaultsOf(options), ...wallet }, 'wallet') as BalanceEvent,
    );
    reply = create(BalanceGetReplySchema, { wallets });
  } catch (cause) {
    const known = cause instanceof BackendError && cause.code !== 'invalid';
    if (!known) options.onError(cause);
    const error = create(ErrorSchema, { code: known ? cause.code : 'internal', message: known ? cause.message : '' });
    reply = create(BalanceGetReplySchema, { error });
  }
  msg.respond(toBinary(BalanceGetReplySchema, reply));
}

function defaultsOf({ currency }: ResponderOptions): { currency?: string } {
  return currency === undefined ? {} : { currency };
}
