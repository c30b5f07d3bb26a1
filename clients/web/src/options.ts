import { type ManagerOptions, type SocketOptions } from 'socket.io-client';

import { type Backoff } from './backoff.js';
import { type NotificationItem, type ServerEvents } from './generated/events.js';
import { type Storage } from './outbox.js';

/** What listeners are told, by the name of the event. */
export interface ClientEvents extends ServerEvents {
  /** Every item of the inbox, whatever its kind. */
  notification: NotificationItem;
  /** A connection began that was not recovered, and what was missed has been told: anything else kept may be read again. */
  resync: { missed: number };
}

export interface ClientOptions {
  /** Where the edges are: `https://wallet.example`. In a browser, the page's own origin unless given. */
  url?: string;
  /** Time for an answer, the connection's included, in milliseconds: 10,000. */
  timeoutMs?: number;
  /** Between attempts to connect: up to 1 s at first, 30 s at most. */
  backoff?: Partial<Backoff>;
  /** One socket for all tabs of this browser that the same user has open. */
  tabs?: boolean;
  /** Keeps what waits to be sent over a reload: `localStorage`, for example. */
  storage?: Storage;
  /** How much may wait to be sent: 100 requests, each for 24 hours at most. */
  queue?: { limit?: number; ttlMs?: number };
  /** False if the server sends texts as they are, not HTML-escaped. */
  escapedTexts?: boolean;
  /** More options of socket.io-client, such as `path`, `transports` and `parser`. */
  socket?: Partial<ManagerOptions & SocketOptions>;
}
