import { withNotification } from './announced.js';
import { type Backoff } from './backoff.js';
import { CATCH_UP_PAGE, type Incoming, inOrder, missedItems } from './catch-up.js';
import { type Chat } from './chat.js';
import { type Emitter } from './emitter.js';
import { isTemporary, RealtimeError } from './errors.js';
import {
  type Announcement,
  type InboxState,
  type NotificationItem,
  type ServerEvents,
  WIRE_EVENTS,
  type WireEvent,
} from './generated/events.js';
import { isUnread } from './inbox.js';
import { type ChatSource, MissedMessages } from './missed-messages.js';
import { type Notifications } from './notifications.js';
import { type ClientEvents } from './options.js';
import { type Numbered, Positions } from './positions.js';
import { pause } from './signal.js';
import { type ServerEvent, type Views } from './views.js';

const ROOMS_PAGE = 50;

interface Missed {
  held: Incoming[];
  messages: MissedMessages;
}

export interface FeedPort {
  events: Emitter<ClientEvents>;
  views: Views;
  notifications: Notifications;
  chat: Chat;
  /** Rooms that are shown live. */
  opened: () => readonly string[];
  backoff: Backoff;
}

/** What comes: each event once and in order, whatever connections it came by. */
export class Feed {
  readonly #port: FeedPort;
  #positions = new Positions();
  #wasOnline = false;
  /** While what was missed is asked for: items that come meanwhile wait here, so that all are in order. */
  #missed: Missed | undefined;

  constructor(port: FeedPort) {
    this.#port = port;
  }

  /** The number of the last item of the mailbox that was shown. */
  get seq(): number {
    return this.#positions.seq ?? 0;
  }

  /** Whether there may be items that are not shown yet. */
  get isBehind(): boolean {
    return this.#missed !== undefined;
  }

  /** A connection begins that does not go on where the one before ended. */
  begin(): void {
    if (this.#missed) this.#missed.messages = this.#missed.messages.again();
    else if (this.#wasOnline) this.#missed = { held: [], messages: new MissedMessages(this.#port.views.rooms.known) };
    this.#wasOnline = true;
    // Until the list of friends comes, if any is there, everybody is offline.
    this.#port.views.showPeople([]);
  }

  /** As if nothing had ever come. */
  clear(): void {
    this.#positions = new Positions();
    this.#missed = undefined;
    this.#wasOnline = false;
    this.#port.views.clear();
  }

  receive(name: string, data: unknown, offset?: string): void {
    const wire = WIRE_EVENTS[name];
    if (!wire) {
      if (name === 'auth:expiring') this.#port.events.emit('authExpiring', data as ServerEvents['authExpiring']);
      if (name === 'server:drain') this.#port.events.emit('serverDrain', data as ServerEvents['serverDrain']);
      return;
    }
    const event: Incoming = { name, wire, data: this.#completed(wire, data) as Numbered, offset };
    const isItem = wire.delivery === 'keep' || wire.delivery === 'log' || event.data.notification !== undefined;
    if (this.#missed && isItem) this.#missed.held.push(event);
    else this.#handle(event);
  }

  /** Tells what was missed, if anything may have been. Ends early when `isOver` says so. */
  async catchUp(isOver: () => boolean): Promise<void> {
    for (let attempts = 1; this.#missed && !isOver(); attempts++) {
      try {
        await this.#tellMissed(this.#missed, isOver);
      } catch (error) {
        if (isOver()) return;
        await pause(retryAfter(error) ?? this.#port.backoff.baseMs * Math.min(attempts, 10));
      }
    }
  }

  #handle(event: Incoming): void {
    const { wire, data, offset, state = 'unseen' } = event;
    const admitted = this.#positions.admit(wire, data, offset);
    if (admitted.item) this.#showItem(event, state);
    // What was read or archived on another device meanwhile is no news; a state is what it is.
    if (admitted.event && (isUnread(state) || wire.delivery === 'state'))
      this.#port.views.show(this.#plain({ name: wire.name, data } as unknown as ServerEvent));
  }

  // With what people wrote as they wrote it.
  #plain(event: ServerEvent): ServerEvent {
    const { chat } = this.#port;
    if (event.name === 'chatMessage') return { ...event, data: chat.message(event.data) };
    if (event.name === 'chatRoom') return { ...event, data: chat.change(event.data) };
    return event;
  }

  #completed(wire: WireEvent, data: unknown): unknown {
    const unread = this.#port.notifications.inbox.unread.get()?.total ?? 0;
    return wire.delivery === 'log' ? withNotification(data as Announcement, unread) : data;
  }

  #showItem({ name, data: { notification, ...data } }: Incoming, state: InboxState): void {
    const item = { event: name, data, notification, state } as unknown as NotificationItem;
    this.#port.notifications.inbox.add(item);
    if (isUnread(state)) this.#port.events.emit('notification', item);
  }

  // Fails only with what may pass: what is refused for good must not keep back all the rest.
  async #tellMissed(missed: Missed, isOver: () => boolean): Promise<void> {
    const { events, notifications, views } = this.#port;
    const list = (before: string) => notifications.list({ limit: CATCH_UP_PAGE, ...(before && { before }) });
    const items = await unlessRefused(missedItems(list, this.#positions), []);
    const chat = this.#chatSource();
    await missed.messages.ask(chat);
    if (isOver()) return;
    this.#missed = undefined;
    const messages = missed.messages.of(chat);
    for (const data of messages) views.show({ name: 'chatMessage', data });
    for (const data of missed.messages.readMarkers) views.show({ name: 'chatRead', data });
    for (const event of inOrder(items.flatMap(asIncoming), missed.held)) this.#handle(event);
    events.emit('resync', { missed: items.length + messages.length });
    if (notifications.inbox.view.get().status !== 'idle') notifications.refresh().catch(() => undefined); // the view tells it
  }

  #chatSource(): ChatSource {
    const { chat, opened, views } = this.#port;
    const room = (roomId: string) => views.rooms.get(roomId);
    return {
      rooms: (before) => unlessRefused(chat.rooms({ limit: ROOMS_PAGE, ...(before && { before }) }), undefined),
      history: (roomId, before) => chat.history({ roomId }, { limit: CATCH_UP_PAGE, ...(before && { before }) }),
      opened,
      isShown: (roomId) => room(roomId).view.get().messages.length > 0,
      isEdited: (message) => room(message.roomId).hasEarlier(message),
      refused: (roomId) => views.dropRoom(roomId),
    };
  }
}

function asIncoming({ event: name, data, notification, state }: NotificationItem): Incoming[] {
  const wire = WIRE_EVENTS[name];
  return wire ? [{ name, wire, data: { ...data, notification }, offset: undefined, state }] : [];
}

/** The answer, or this if it is refused for good. */
async function unlessRefused<T>(request: Promise<T>, refused: T): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (isTemporary(error)) throw error;
    return refused;
  }
}

function retryAfter(error: unknown): number | undefined {
  return error instanceof RealtimeError ? error.retryAfterMs : undefined;
}
