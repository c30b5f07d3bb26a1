import { create, type DescMessage, toBinary } from '@bufbuild/protobuf';
import { createHash, randomUUID } from 'node:crypto';

import { BackendError } from './errors.js';
import { type Data, fill } from './fill.js';
import {
  AnnouncementEventSchema,
  BalanceEventSchema,
  CardEventSchema,
  EventSchema,
  KycEventSchema,
  LimitEventSchema,
  MoneyEventSchema,
  SecurityEventSchema,
  TransactionEventSchema,
  TransferEventSchema,
} from './generated/walletwire/v1/event_pb.js';
import { checkBody, checkId, checkUsers } from './rules.js';

const EVENT_MAX = 64 * 1024;
const ID_MAX = 128;

export const KINDS = {
  balance: BalanceEventSchema,
  transaction: TransactionEventSchema,
  transfer: TransferEventSchema,
  payment: MoneyEventSchema,
  deposit: MoneyEventSchema,
  withdrawal: MoneyEventSchema,
  security: SecurityEventSchema,
  limit: LimitEventSchema,
  kyc: KycEventSchema,
  card: CardEventSchema,
  announcement: AnnouncementEventSchema,
} as const satisfies Record<string, DescMessage>;

export type Kind = keyof typeof KINDS;

/** What an event is made of; `body` in the words of the kind's message. */
export interface Draft {
  kind: Kind;
  userIds: readonly string[];
  body: Data;
  /** Parts of the idempotency key; a random one if there is none. */
  key?: readonly (string | number | bigint)[];
  options?: Data;
}

export interface Encoded {
  kind: Kind;
  id: string;
  bytes: Uint8Array;
}

export function encode({ kind, userIds, body, key, options = {} }: Draft): Encoded {
  const { event_id, eventId = event_id, occurred_at, occurredAt = occurred_at ?? new Date(), ...rest } = options;
  const id = idOf(key, eventId);
  checkUsers(kind, userIds);
  const event = fill(EventSchema, { ...rest, occurredAt, id, userIds }, 'event');
  const value = fill(KINDS[kind], body, kind);
  checkBody(kind, value);
  const bytes = toBinary(EventSchema, create(EventSchema, { ...event, body: { case: kind, value } } as never));
  if (bytes.length > EVENT_MAX) throw new BackendError('too_large', `the event has more than ${EVENT_MAX} bytes`);
  return { kind, id, bytes };
}

function idOf(key: Draft['key'], given: unknown): string {
  if (given !== undefined) {
    checkId('event_id', given);
    return given as string;
  }
  const id = key?.map(partOf).join('/') ?? randomUUID();
  return Buffer.byteLength(id) <= ID_MAX ? id : createHash('sha256').update(id).digest('hex');
}

// As in a URL, so that no two lists of parts are one key.
function partOf(part: string | number | bigint): string {
  return String(part).replaceAll('%', '%25').replaceAll('/', '%2F');
}
