import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { type NatsConnection } from '@nats-io/nats-core';
import { connect, type NodeConnectionOptions } from '@nats-io/transport-node';

import { type Responder, serveBalances, type WalletsOf } from './balances.js';
import { type CallOptions, Connection, type Published } from './connection.js';
import { invalid } from './errors.js';
import { type Draft, encode, type Kind } from './events.js';
import { type Data } from './fill.js';
import {
  RecallReplySchema,
  RecallRequestSchema,
  RevokeReplySchema,
  RevokeRequestSchema,
} from './generated/walletwire/v1/notifications_pb.js';
import { FriendsSetReplySchema, FriendsSetRequestSchema } from './generated/walletwire/v1/presence_pb.js';
import { checkId } from './rules.js';
import {
  type AnnouncementInput,
  type AnyCase,
  type BalanceInput,
  type CardInput,
  type EventOptions,
  type KycInput,
  type LimitInput,
  type MoneyInput,
  type SecurityInput,
  type TransactionInput,
  type TransferInput,
} from './inputs.js';

export interface BackendOptions {
  /** Of amounts that come without one. */
  currency?: string;
  /** How long a call is tried, in milliseconds: 30,000. */
  timeoutMs?: number;
  /** Told what went wrong where nobody waits: questions about balances that could not be answered. */
  onError?: (error: unknown) => void;
}

export type NotifyOptions = AnyCase<EventOptions> & CallOptions;

/** Which friends: these and nobody else, or these more, or these no longer. */
export type FriendsChange = readonly string[] | { add: readonly string[] } | { remove: readonly string[] };

/**
 * Tells people what happened. Each call resolves once the stream has stored the event. Calling it again changes nothing for a
 * movement, a step of a transfer and a version of a balance, which have their own ids, and for what is given its `eventId`,
 * by the caller or out of the error of a call before.
 */
export class RealtimeNotifications {
  readonly #connection: Connection;
  readonly #options: BackendOptions;
  readonly #responders = new Set<Responder>();

  /** Over a connection that the caller made, and closes. Its inbox prefix has to be `_INBOX.<user>`. */
  constructor(nats: NatsConnection, options: BackendOptions = {}) {
    this.#connection = new Connection(nats);
    this.#options = options;
  }

  /** Connects as the NATS user `backend`, unless told otherwise, for as long as it takes, and again after each loss. */
  static async connect(nats: NodeConnectionOptions, options: BackendOptions = {}): Promise<RealtimeNotifications> {
    const user = nats.user ?? 'backend';
    const connection = await connect({
      maxReconnectAttempts: -1,
      waitOnFirstConnect: true,
      ...nats,
      user,
      inboxPrefix: `_INBOX.${user}`,
    });
    return new RealtimeNotifications(connection, options);
  }

  /** Ends what is under way, then the connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#responders].map((responder) => responder.stop()));
    await this.#connection.close();
  }

  notifyBalanceUpdate(
    userId: string,
    walletId: string,
    balance: AnyCase<BalanceInput>,
    options?: NotifyOptions,
  ): Promise<Published> {
    const key = balance.version === undefined ? undefined : [userId, walletId, balance.version];
    const body = { ...this.#withCurrency(balance), walletId };
    return this.#publish({ kind: 'balance', userIds: [userId], body, ...(key && { key }) }, options);
  }

  notifyTransaction(transaction: AnyCase<TransactionInput>, options?: NotifyOptions): Promise<Published> {
    const { id, sender_id, senderId = sender_id, sender_name, senderName = sender_name, ...rest } = transaction as Data;
    const { recipient_id, recipientId = recipient_id, recipient_name, recipientName = recipient_name, ...body } = rest;
    const sides = {
      ...(senderId !== undefined && { sender: { userId: senderId, name: senderName } }),
      ...(recipientId !== undefined && { recipient: { userId: recipientId, name: recipientName } }),
    };
    const type = body.type ?? (senderId !== undefined && recipientId !== undefined ? 'p2p' : undefined);
    return this.#movement(
      'transaction',
      [],
      id,
      { ...body, ...sides, type, transactionId: id },
      [body.status],
      options,
    );
  }

  notifyTransfer(transfer: AnyCase<TransferInput>, options?: NotifyOptions): Promise<Published> {
    const { id, user_ids, userIds = user_ids, ...body } = transfer as Data;
    if (!Array.isArray(userIds)) return Promise.reject(invalid('transfer.user_ids', 'must be a list'));
    const step = [body.state, body.version ?? body.progress ?? 0];
    return this.#movement('transfer', userIds as string[], id, { ...body, transferId: id }, step, options);
  }

  notifyPayment(userId: string, payment: AnyCase<MoneyInput>, options?: NotifyOptions): Promise<Published> {
    return this.#money('payment', userId, payment, options);
  }

  notifyDeposit(userId: string, deposit: AnyCase<MoneyInput>, options?: NotifyOptions): Promise<Published> {
    return this.#money('deposit', userId, deposit, options);
  }

  notifyWithdrawal(userId: string, withdrawal: AnyCase<MoneyInput>, options?: NotifyOptions): Promise<Published> {
    return this.#money('withdrawal', userId, withdrawal, options);
  }

  notifySecurityAlert(userId: string, alert: AnyCase<SecurityInput>, options?: NotifyOptions): Promise<Published> {
    return this.#publish({ kind: 'security', userIds: [userId], body: alert as Data }, options);
  }

  notifyLimitExceeded(userId: string, limit: AnyCase<LimitInput>, options?: NotifyOptions): Promise<Published> {
    return this.#publish({ kind: 'limit', userIds: [userId], body: this.#withCurrency(limit) }, options);
  }

  notifyKyc(userId: string, kyc: AnyCase<KycInput>, options?: NotifyOptions): Promise<Published> {
    return this.#publish({ kind: 'kyc', userIds: [userId], body: kyc as Data }, options);
  }

  notifyCard(userId: string, card: AnyCase<CardInput>, options?: NotifyOptions): Promise<Published> {
    return this.#publish({ kind: 'card', userIds: [userId], body: this.#withCurrency(card) }, options);
  }

  /** Tells everybody, or a segment. */
  broadcast(
    announcement: AnyCase<AnnouncementInput>,
    options?: CallOptions & AnyCase<Pick<EventOptions, 'eventId'>>,
  ): Promise<Published> {
    const { starts_at, startsAt = starts_at, segment, ...event } = announcement as Data;
    return this.#publish({ kind: 'announcement', userIds: [], body: { startsAt, segment } }, { ...event, ...options });
  }

  /** Takes back what an event said, from every inbox. Resolves with the number of inboxes it was taken from. */
  async recall(kind: Kind, eventId: string, options: CallOptions & { askedBy?: string } = {}): Promise<number> {
    const request = { type: kind, id: eventId, ...askedBy(options) };
    const reply = await this.#ask('notifications.recall', RecallRequestSchema, request, RecallReplySchema, options);
    return reply.recalled;
  }

  /** Ends one token, or all that a user was issued before now, on live sockets too. */
  async revoke(
    what: { tokenId: string } | { userId: string },
    reason: string,
    options: CallOptions & { askedBy?: string } = {},
  ): Promise<void> {
    const which =
      'tokenId' in what
        ? ({ case: 'tokenId', value: what.tokenId } as const)
        : ({ case: 'userId', value: what.userId } as const);
    const request = { what: which, reason, ...askedBy(options) };
    await this.#ask('notifications.revoke', RevokeRequestSchema, request, RevokeReplySchema, options);
  }

  /** Friendship is mutual: both sides change. */
  async setFriends(
    userId: string,
    change: FriendsChange,
    options: CallOptions = {},
  ): Promise<{ added: number; removed: number; friends: number }> {
    const request = { userId, change: friendsChange(change) };
    const reply = await this.#ask(
      'presence.friends_set',
      FriendsSetRequestSchema,
      request,
      FriendsSetReplySchema,
      options,
    );
    return { added: reply.added, removed: reply.removed, friends: reply.friends };
  }

  /** Answers what balances a user has, until it is stopped. */
  serveBalances(walletsOf: WalletsOf): Responder {
    const { currency, onError = () => undefined } = this.#options;
    const responder = serveBalances(this.#connection.nats, walletsOf, { currency, onError });
    this.#responders.add(responder);
    return responder;
  }

  #money(
    kind: 'payment' | 'deposit' | 'withdrawal',
    userId: string,
    money: AnyCase<MoneyInput>,
    options?: NotifyOptions,
  ): Promise<Published> {
    const { id, ...body } = money as Data;
    return this.#movement(kind, [userId], id, { ...body, referenceId: id }, [body.status], options);
  }

  // Each step of a movement is an event of its own, known by the movement and the step.
  async #movement(
    kind: Kind,
    userIds: readonly string[],
    id: unknown,
    body: Data,
    step: readonly unknown[],
    options?: NotifyOptions,
  ): Promise<Published> {
    checkId(`${kind}.id`, id);
    return this.#publish({ kind, userIds, body: this.#withCurrency(body), key: [id, ...step].map(String) }, options);
  }

  // Only what has an amount has a currency.
  #withCurrency(body: object): Data {
    const { currency } = this.#options;
    const isMoney = ['amount', 'used', 'max', 'availableBalance', 'available_balance'].some((field) => field in body);
    return { ...(isMoney && currency !== undefined && { currency }), ...body };
  }

  async #publish(draft: Draft, options: NotifyOptions = {}): Promise<Published> {
    const { timeoutMs = this.#options.timeoutMs, signal, ...event } = options;
    const call = { ...(timeoutMs !== undefined && { timeoutMs }), ...(signal && { signal }) };
    return this.#connection.publish(encode({ ...draft, options: event }), call);
  }

  #ask<Request extends DescMessage, Reply extends DescMessage>(
    verb: string,
    schema: Request,
    request: MessageInitShape<Request>,
    reply: Reply,
    options: CallOptions,
  ): Promise<MessageShape<Reply>> {
    const { timeoutMs = this.#options.timeoutMs } = options;
    const call = { ...options, ...(timeoutMs !== undefined && { timeoutMs }) };
    return this.#connection.ask(`ww.backend.${verb}`, [schema, create(schema, request)], reply, call);
  }
}

function askedBy(options: { askedBy?: string }): { askedBy?: string } {
  return options.askedBy === undefined ? {} : { askedBy: options.askedBy };
}

function friendsChange(change: FriendsChange): NonNullable<MessageInitShape<typeof FriendsSetRequestSchema>['change']> {
  if ('add' in change) return { case: 'add', value: { values: [...change.add] } };
  if ('remove' in change) return { case: 'remove', value: { values: [...change.remove] } };
  return { case: 'replace', value: { values: [...change] } };
}
