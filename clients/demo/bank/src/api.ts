// What the demo's bank is asked and answers under /bank/api, in JSON. Types only: pages import them, too.
//
// An amount is a decimal text such as '12.50', never a JSON number. Times are ISO 8601 in UTC. A POST has the
// content type application/json and may have an `Idempotency-Key` (1 to 64 of A-Z, a-z, 0-9, - and _): the same
// request under the same key again changes nothing and has the same answer for a day; another one is a `conflict`.

/** Whom one can sign in as. `ops` has no wallet: it is for the operations page. */
export interface User {
  id: 'alice' | 'bob' | 'carol' | 'dave' | 'ops';
  name: string;
  /** What they are in the story, for a card: 'Designer, always travelling'. */
  role: string;
  /** Background of the avatar, '#rrggbb', dark enough for white letters. */
  colour: string;
}

/** GET /users */
export interface Users {
  users: User[];
}

/** POST /sign-in */
export interface SignIn {
  userId: string;
}

export interface SignedIn {
  token: string;
  expiresAt: string;
}

export interface Wallet {
  walletId: string;
  currency: string;
  /** What can be spent. */
  available: string;
  /** What is on its way to this wallet. */
  pending: string;
  /** Rises with every change. */
  version: number;
}

export type EventKind =
  | 'balance'
  | 'transaction'
  | 'transfer'
  | 'payment'
  | 'deposit'
  | 'withdrawal'
  | 'security'
  | 'limit'
  | 'kyc'
  | 'card'
  | 'announcement';

/** An event that people were told, as POST /recall wants it. */
export interface EventRef {
  kind: EventKind;
  id: string;
}

export type Verb =
  | 'send'
  | 'transfer'
  | 'pay'
  | 'deposit'
  | 'withdraw'
  | 'card'
  | 'alert'
  | 'limit'
  | 'kyc'
  | 'broadcast'
  | 'recall'
  | 'revoke'
  | 'friends';

/** One thing that was done. */
export interface Done {
  /** Rises, without meaning else: a key for lists. */
  seq: number;
  at: string;
  /** By a request, or by the simulated day. */
  by: 'desk' | 'day';
  what: Verb;
  /** A sentence for people, with amounts: 'Alice sent Bob 12.50 EUR'. */
  text: string;
  userIds: string[];
  /** What can be recalled of it. Without the balances, which are no news that can be taken back. */
  events: EventRef[];
}

export interface Day {
  running: boolean;
  /** Seconds from one thing that happens to the next: 0.2 to 60. */
  pace: number;
}

/** A transfer that takes its time, under way or ended within the last minute. */
export interface TransferState {
  transferId: string;
  from: string;
  to: string;
  amount: string;
  currency: string;
  state: 'processing' | 'completed' | 'failed';
  progress: number;
}

/** GET /state */
export interface State {
  users: (User & { wallets: Wallet[] })[];
  day: Day;
  transfers: TransferState[];
  /** The last 50, newest first. */
  done: Done[];
}

/** POST /day -> Day. What is left out stays. After a pause nothing begins; transfers that are under way come to their end. */
export interface SetDay {
  running?: boolean;
  pace?: number;
}

/** The answer of every POST below that tells people something. `id` names the movement: the transfer's id, too. */
export interface Told {
  id: string;
  events: EventRef[];
}

/** POST /send: from one user to another, at once. */
export interface Send {
  from: string;
  to: string;
  amount: string;
  /** At most 140 characters. */
  note?: string;
}

/** POST /transfer: the same, but it progresses to 100 % in so many seconds (1 to 120: 10), or fails half way. */
export interface Transfer extends Send {
  seconds?: number;
  fails?: boolean;
}

/** POST /pay: a user pays a shop. */
export interface Pay {
  userId: string;
  merchant: string;
  amount: string;
}

/** POST /deposit and POST /withdraw */
export interface Deposit {
  userId: string;
  amount: string;
  note?: string;
}
export type Withdraw = Deposit;

/** POST /card: a purchase takes the amount, a refund gives it back, what is declined moves nothing. */
export interface Card {
  userId: string;
  /** 'purchase' unless given. */
  type?: 'purchase' | 'refund' | 'declined';
  merchant: string;
  amount: string;
}

export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** POST /alert */
export interface Alert {
  userId: string;
  severity: Severity;
  /** At most 500 characters. */
  message: string;
  /** What the user should do; at most 140 characters. */
  action?: string;
}

/** POST /limit: so much of a limit is used. */
export interface Limit {
  userId: string;
  /** 'card', 'transfer', ...; at most 40 characters. */
  limit: string;
  period?: 'daily' | 'weekly' | 'monthly';
  used: string;
  max: string;
}

/** POST /kyc */
export interface Kyc {
  userId: string;
  status: 'pending' | 'verified' | 'rejected' | 'expired';
  level?: 'basic' | 'full';
  message?: string;
}

/** POST /broadcast: an announcement to everybody, or to those in all of the lists that are given. */
export interface Broadcast {
  /** At most 80 characters. */
  title: string;
  /** At most 500 characters. */
  message: string;
  /** 'medium' unless given; it is the announcement's priority (medium: normal). */
  severity?: Severity;
  audience?: { countries?: string[]; languages?: string[]; tiers?: string[] };
  /** 1 to 86,400; never unless given. */
  expiresInSeconds?: number;
}

/** POST /recall: takes back what an event said, from every inbox. `not_found` until it was applied, some milliseconds. */
export type Recall = EventRef;

export interface Recalled {
  /** Inbox items that were taken back now; 0 for an announcement, which has none. */
  recalled: number;
}

/** POST /revoke: ends all tokens that the user has now. */
export interface Revoke {
  userId: string;
}

export interface Revoked {
  userId: string;
}

/** POST /friends: these and nobody else. */
export interface SetFriends {
  userId: string;
  friends: string[];
}

export interface FriendsSet {
  added: number;
  removed: number;
  friends: number;
}

/** The body of every answer from 400 on: 400, 404, 405, 409, 413, 415, 500, 503. */
export interface Refusal {
  error: {
    code: 'invalid' | 'not_found' | 'method' | 'conflict' | 'too_large' | 'media_type' | 'internal' | 'unavailable';
    message: string;
    /** What is to blame: 'amount', 'audience.countries[0]'. */
    field?: string;
  };
}

/** Every route: its method, path below /bank/api, what it takes and gives. */
export interface Routes {
  'GET /users': [never, Users];
  'GET /state': [never, State];
  'POST /sign-in': [SignIn, SignedIn];
  'POST /day': [SetDay, Day];
  'POST /send': [Send, Told];
  'POST /transfer': [Transfer, Told];
  'POST /pay': [Pay, Told];
  'POST /deposit': [Deposit, Told];
  'POST /withdraw': [Withdraw, Told];
  'POST /card': [Card, Told];
  'POST /alert': [Alert, Told];
  'POST /limit': [Limit, Told];
  'POST /kyc': [Kyc, Told];
  'POST /broadcast': [Broadcast, Told];
  'POST /recall': [Recall, Recalled];
  'POST /revoke': [Revoke, Revoked];
  'POST /friends': [SetFriends, FriendsSet];
}
