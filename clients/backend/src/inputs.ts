import { type Amount } from './money.js';

type Snake<Key extends string> = Key extends `${infer First}${infer Rest}`
  ? Rest extends Uncapitalize<Rest>
    ? `${Lowercase<First>}${Snake<Rest>}`
    : `${Lowercase<First>}_${Snake<Rest>}`
  : Key;

/** The same fields, named in camel or in snake case. */
export type AnyCase<T> = T | { [Key in keyof T as Snake<Key & string>]: T[Key] };

export type Status = 'pending' | 'completed' | 'failed';
export type Priority = 'low' | 'normal' | 'high' | 'critical';

export interface BalanceInput {
  availableBalance: Amount;
  pendingBalance?: Amount;
  currency?: string;
  /** Rises with every change of the wallet; without it the newest word counts. */
  version?: number | bigint;
}

export interface TransactionInput {
  id: string;
  /** `p2p` unless given, which needs both sides. */
  type?: 'p2p' | 'deposit' | 'withdrawal' | 'payment';
  amount: Amount;
  currency?: string;
  status: Status;
  senderId?: string;
  senderName?: string;
  recipientId?: string;
  recipientName?: string;
  message?: string;
}

export interface TransferInput {
  id: string;
  /** Its parties, who may follow it. */
  userIds: readonly string[];
  state: 'created' | 'processing' | 'completed' | 'failed' | 'cancelled';
  /** 0 to 100. */
  progress?: number;
  amount?: Amount;
  currency?: string;
  message?: string;
  version?: number | bigint;
}

/** A payment, a deposit or a withdrawal. */
export interface MoneyInput {
  id: string;
  status: Status;
  amount: Amount;
  currency?: string;
  message?: string;
}

export interface SecurityInput {
  severity: 'low' | 'medium' | 'high' | 'critical';
  message: string;
  /** What the user should do. */
  action?: string;
}

export interface LimitInput {
  limit: string;
  period?: string;
  used?: Amount;
  max?: Amount;
  currency?: string;
  message?: string;
}

export interface KycInput {
  status: string;
  level?: string;
  message?: string;
}

export interface CardInput {
  cardId: string;
  last4?: string;
  type?: string;
  merchant?: string;
  amount?: Amount;
  currency?: string;
  message?: string;
}

export interface AnnouncementInput {
  title: string;
  text: string;
  priority?: Priority;
  startsAt?: Date | string;
  expiresAt?: Date | string;
  /** Whom it is for; a list that is left out is everybody. */
  segment?: { countries?: readonly string[]; languages?: readonly string[]; tiers?: readonly string[] };
}

/** What may be said of any event beside its content. */
export interface EventOptions {
  /** The idempotency key: the same one again, also from another process, changes nothing for 35 days. */
  eventId?: string;
  priority?: Priority;
  /** Shown in the inbox instead of the words that are made from the content. */
  title?: string;
  text?: string;
  occurredAt?: Date | string;
  expiresAt?: Date | string;
  /** W3C Trace Context: the trace that the event belongs to. One that is none is ignored. */
  traceparent?: string;
}

export interface WalletInput extends BalanceInput {
  walletId: string;
}
