import { type ManagerOptions, type SocketOptions } from 'socket.io-client';

import { type Backoff } from './backoff.js';
import { CATCH_UP_PAGE, type Incoming, inOrder, MissedMessages, missedItems } from './catch-up.js';
import { type History, type HistoryQuery, type RoomPage, type SentMessage } from './chat-types.js';
import { Chat, type Conversation, type SendOptions } from './chat.js';
import { Emitter } from './emitter.js';
import { isTemporary, RealtimeError } from './errors.js';
import {
  type BalanceUpdate,
  type InboxState,
  type NotificationItem,
  type PresenceFriendsReply,
  type PresenceList,
  type PresenceUpdate,
  type ServerEvents,
  type TransferUpdate,
  type Unread,
  WIRE_EVENTS,
} from './generated/events.js';
import { type InboxView, isUnread } from './inbox.js';
import { type ConnectionState, type Link } from './link.js';
import { Notifications } from './notifications.js';
import { type Entry, Outbox, type Storage } from './outbox.js';
import { People, type PeopleView } from './people.js';
import { type Numbered, Positions } from './positions.js';
import { Room, type RoomView } from './rooms.js';
import { type Cancel, pause } from './signal.js';
import { SocketLink } from './socket-link.js';
import { type Store, Value } from './store.js';
import { TabsLink } from './tabs-link.js';
import { ofOneUser, type TokenProvider } from './token.js';
import { Wanted } from './wanted.js';

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

const TIMEOUT_MS = 10_000;
const BACKOFF: Backoff = { baseMs: 1000, maxMs: 30_000 };
const QUEUE_LIMIT = 100;
const QUEUE_TTL_MS = 24 * 3600 * 1000;

/** One user's real-time connection, and what it shows. */
export class WalletwireClient {
  readonly notifications: Notifications;
  /** The verbs of chat beyond those of the client itself: groups, edits, blocks. */
  readonly chat: Chat;

  readonly #options: ClientOptions;
  readonly #backoff: Backoff;
  readonly #events = new Emitter<ClientEvents>();
  readonly #connection = new Value<ConnectionState>({ status: 'offline' });
  readonly #balances = new Value<ReadonlyMap<string, BalanceUpdate>>(new Map());
  #people = new People();
  readonly #rooms = new Map<string, Room>();
  readonly #transfers = new Map<string, Value<TransferUpdate | undefined>>();
  #link: Link | undefined;
  #unwatch: () => void = () => undefined;
  #outbox: Outbox | undefined;
  #positions = new Positions();
  #wasOnline = false;
  /** While what was missed is asked for: items that come meanwhile wait here, so that all are in order. */
  #missed: Missed | undefined;
  /** Of the connections that were not recovered: what an answer of an earlier one says may lack what came since. */
  #generation = 0;
  /** The last one after which all was told and asked for again. */
  #resumed = 0;
  #resuming = false;
  #user = '';
  readonly #tracked = new Wanted((transferId, cancel) => this.#track(transferId, cancel));
  readonly #opened = new Wanted((roomId, cancel) => this.#open(roomId, cancel));

  constructor(options: ClientOptions = {}) {
    this.#options = options;
    this.#backoff = { ...BACKOFF, ...options.backoff };
    const port = {
      ask: (event: string, payload: object, cancel?: Cancel) => this.#ask(event, payload, cancel),
      enqueue: (event: string, payload: object, id: string, lane: string, cancel?: Cancel, first?: object) =>
        this.#enqueue({ id, lane, event, payload }, cancel, first),
      shown: () => ({
        upTo: this.#positions.seq ?? 0,
        all: this.#connection.get().status === 'online' && !this.#missed,
      }),
      escaped: options.escapedTexts ?? true,
    };
    this.notifications = new Notifications(port);
    this.chat = new Chat(port);
  }

  // --- the connection ---

  get connection(): Store<ConnectionState> {
    return this.#connection;
  }

  /**
   * Connects as the user of a token, and stays connected by itself. A provider is asked for a token for each connection,
   * before the one in use ends, and after a refusal; of a plain token the connection ends with it.
   */
  connect(token: string | TokenProvider): void {
    this.disconnect();
    const renewable = typeof token !== 'string';
    const { promise: user, resolve: learn } = deferred<string>();
    const source: TokenProvider = renewable ? token : ({ reason }) => (reason === 'expiring' ? null : token);
    const provide = ofOneUser(source, (id) => learn((this.#user = id)));
    const link = this.#makeLink(provide, renewable);
    this.#outbox = this.#makeOutbox(link, user);
    this.#link = link;
    this.#unwatch = link.state.subscribe(() => this.#follow(link.state.get()));
    link.open({
      online: (recovered) => this.#online(recovered),
      event: (name, data, offset) => this.#receive(name, data, offset),
    });
  }

  /** Ends the connection and forgets whose it was. What waits to be sent fails, and stays in the storage if there is one. */
  disconnect(): void {
    this.#unwatch();
    this.#link?.close();
    this.#outbox?.close();
    this.#link = undefined;
    this.#outbox = undefined;
    this.#forget();
    this.#connection.set({ status: 'offline' });
  }

  /** Tries to connect now, not only at the next attempt. */
  retry(): void {
    this.#link?.retry();
  }

  /** Calls `listener` with each event of that name until the function it returns is called. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (data: ClientEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  // --- money ---

  get balances(): Store<ReadonlyMap<string, BalanceUpdate>> {
    return this.#balances;
  }

  /** The balances of all wallets or of one, not older than 30 seconds. */
  async balance(walletId?: string, cancel?: Cancel): Promise<BalanceUpdate[]> {
    const reply = await this.#ask('balance:get', walletId === undefined ? {} : { walletId }, cancel);
    const { balances } = reply as { balances: BalanceUpdate[] };
    for (const balance of balances) this.#receive('balance:update', balance, undefined);
    return balances;
  }

  /** From now on `transferUpdate` tells of this transfer. Resolves with its state; undefined if it is not known yet. */
  trackTransfer(transferId: string, cancel?: Cancel): Promise<TransferUpdate | undefined> {
    const state = this.#tracked.add(transferId, cancel);
    state.catch(() => undefined); // whoever does not wait for it need not handle it: the next connection tracks it again
    return state;
  }

  /** Takes back one `trackTransfer`. */
  async untrackTransfer(transferId: string, cancel?: Cancel): Promise<void> {
    if (!this.#tracked.remove(transferId)) return;
    if (this.#connection.get().status === 'online') await this.#ask('transfer:untrack', { transferId }, cancel);
  }

  /** The last known state of a transfer. */
  transfer(transferId: string): Store<TransferUpdate | undefined> {
    return getOrMake(this.#transfers, transferId, () => new Value<TransferUpdate | undefined>(undefined));
  }

  // --- notifications ---

  get inbox(): Store<InboxView> {
    return this.notifications.inbox.view;
  }

  get unread(): Store<Unread | undefined> {
    return this.notifications.inbox.unread;
  }

  // --- presence ---

  /** Friends and their presence; whoever is not in it is offline. */
  get people(): Store<PeopleView> {
    return this.#people.view;
  }

  async setPresence(status: 'online' | 'away', cancel?: Cancel): Promise<void> {
    await this.#ask('presence:set', { status }, cancel);
  }

  /** Friends, those who are offline too, a page of at most 1,000 by their ids. */
  async friends(query: { after?: string; limit?: number } = {}, cancel?: Cancel): Promise<PresenceFriendsReply> {
    return (await this.#ask('presence:friends', query, cancel)) as PresenceFriendsReply;
  }

  /** The presence of those among `userIds` (at most 100) who are friends. */
  async presence(userIds: readonly string[], cancel?: Cancel): Promise<PresenceUpdate[]> {
    const { users } = (await this.#ask('presence:get', { userIds }, cancel)) as PresenceList;
    for (const user of users) this.#receive('presence:update', user, undefined);
    return users;
  }

  /** Whether friends see this user at all; resolves with what it is then. */
  async setVisible(visible: boolean, cancel?: Cancel): Promise<boolean> {
    const reply = (await this.#ask('presence:privacy', { visible }, cancel)) as { visible: boolean };
    return reply.visible;
  }

  // --- chat ---

  sendChatMessage(text: string, recipientId: string, options?: SendOptions): Promise<SentMessage> {
    return this.chat.send(text, { recipientId }, options);
  }

  sendRoomMessage(text: string, roomId: string, options?: SendOptions): Promise<SentMessage> {
    return this.chat.send(text, { roomId }, options);
  }

  typing(roomId: string, typing = true, cancel?: Cancel): Promise<void> {
    return this.chat.typing(roomId, typing, cancel);
  }

  rooms(query?: { before?: string; limit?: number }, cancel?: Cancel): Promise<RoomPage> {
    return this.chat.rooms(query, cancel);
  }

  /** A page of a room, which is shown by `room(...)` too. */
  async history(of: string | Conversation, query?: HistoryQuery, cancel?: Cancel): Promise<History> {
    const history = await this.chat.history(typeof of === 'string' ? { roomId: of } : of, query, cancel);
    const room = this.#room(history.roomId);
    room.add(history.messages);
    for (const marker of history.readMarkers) room.read(marker);
    return history;
  }

  room(roomId: string): Store<RoomView> {
    return this.#room(roomId).view;
  }

  /** Opens the live view of a room: typing and read markers; messages come without. Reads its newest page. */
  async openRoom(roomId: string, cancel?: Cancel): Promise<void> {
    await this.#opened.add(roomId, cancel);
  }

  /** Takes back one `openRoom`. */
  async closeRoom(roomId: string, cancel?: Cancel): Promise<void> {
    if (!this.#opened.remove(roomId)) return;
    if (this.#connection.get().status === 'online')
      await this.#ask('unsubscribe', { channel: `room:${roomId}` }, cancel);
  }

  // --- how it is done ---

  #makeLink(provide: TokenProvider, renewable: boolean): Link {
    const url = this.#options.url ?? (typeof location === 'object' ? location.origin : 'http://localhost:8080');
    const socket = { url, provide, renewable, backoff: this.#backoff, socket: this.#options.socket ?? {} };
    return this.#options.tabs && TabsLink.isPossible() ? new TabsLink(socket) : new SocketLink(socket);
  }

  #makeOutbox(link: Link, user: Promise<string>): Outbox {
    const outbox = new Outbox({
      send: (event, payload) => link.ask(event, payload, { timeoutMs: this.#timeoutMs }),
      backoff: this.#backoff,
      limit: this.#options.queue?.limit ?? QUEUE_LIMIT,
      storage: this.#options.storage,
      key: user.then((id) => `walletwire:outbox:${id}`),
    });
    void outbox.restore();
    return outbox;
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? TIMEOUT_MS;
  }

  #ask(event: string, payload: object, cancel: Cancel = {}): Promise<unknown> {
    if (!this.#link) return Promise.reject(new RealtimeError('offline', 'connect first'));
    return this.#link.ask(event, payload, { timeoutMs: this.#timeoutMs, ...cancel });
  }

  #enqueue(entry: Omit<Entry, 'expiresAt'>, cancel: Cancel = {}, first?: object): Promise<unknown> {
    if (!this.#outbox) return Promise.reject(new RealtimeError('offline', 'connect first'));
    const ttlMs = cancel.timeoutMs ?? this.#options.queue?.ttlMs ?? QUEUE_TTL_MS;
    return this.#outbox.add({ ...entry, expiresAt: Date.now() + ttlMs }, cancel.signal, first);
  }

  // In place: whoever watches a store goes on watching it, and sees that it is empty.
  #forget(): void {
    this.#positions = new Positions();
    this.#missed = undefined;
    this.#resuming = false;
    this.#wasOnline = false;
    for (const room of this.#rooms.values()) room.clear();
    for (const transfer of this.#transfers.values()) transfer.set(undefined);
    this.#people.replace([]);
    this.#balances.set(new Map());
    this.notifications.inbox.clear();
  }

  #follow(state: ConnectionState): void {
    this.#connection.set(state);
    this.#outbox?.setOnline(state.status === 'online');
    if (state.status === 'online') void this.#resume();
  }

  #online(recovered: boolean): void {
    if (recovered) return;
    this.#generation++;
    if (this.#wasOnline) this.#missed ??= { held: [], messages: new MissedMessages(this.#newest()) };
    this.#wasOnline = true;
    // Until the list of friends comes, if any is there, everybody is offline.
    this.#showPeople([]);
  }

  // Tells what was missed and asks for what is wanted, over connections that come and go, until it is done.
  async #resume(): Promise<void> {
    if (this.#resuming) return;
    this.#resuming = true;
    const link = this.#link;
    const isOnline = (): boolean => this.#link === link && this.#connection.get().status === 'online';
    while (isOnline() && this.#resumed !== this.#generation) {
      const generation = this.#generation;
      const isOver = (): boolean => !isOnline() || this.#generation !== generation;
      await Promise.all([this.#catchUp(isOver), this.#tracked.restore(this.#backoff, isOver)]);
      // Their newest pages would hide how far what was missed goes back.
      await this.#opened.restore(this.#backoff, isOver);
      if (!isOver()) this.#resumed = generation;
    }
    if (this.#link === link) this.#resuming = false;
  }

  async #track(transferId: string, cancel?: Cancel): Promise<TransferUpdate | undefined> {
    const { transfer } = (await this.#ask('transfer:track', { transferId }, cancel)) as { transfer?: TransferUpdate };
    if (transfer) this.#receive('transfer:update', transfer, undefined);
    return transfer;
  }

  async #open(roomId: string, cancel?: Cancel): Promise<void> {
    const room = this.#room(roomId);
    room.setStatus('loading');
    try {
      await this.#ask('subscribe', { channel: `room:${roomId}` }, cancel);
      await this.history(roomId, {}, cancel);
      room.setStatus('ready');
    } catch (error) {
      room.setStatus('failed');
      throw error;
    }
  }

  // --- what comes ---

  #receive(name: string, data: unknown, offset: string | undefined): void {
    const wire = WIRE_EVENTS[name];
    if (!wire) {
      if (name === 'auth:expiring') this.#events.emit('authExpiring', data as ServerEvents['authExpiring']);
      if (name === 'server:drain') this.#events.emit('serverDrain', data as ServerEvents['serverDrain']);
      return;
    }
    const event: Incoming = { name, wire, data: data as Numbered, offset };
    const isItem = wire.delivery === 'keep' || wire.delivery === 'log' || event.data.notification !== undefined;
    if (this.#missed && isItem) this.#missed.held.push(event);
    else this.#handle(event);
  }

  #handle(event: Incoming): void {
    const { wire, data, offset, state = 'unseen' } = event;
    const admitted = this.#positions.admit(wire, data, offset);
    if (admitted.item) this.#showItem(event, state);
    // What was read or archived on another device meanwhile is no news; a state is what it is.
    if (admitted.event && (isUnread(state) || wire.delivery === 'state')) this.#show(wire.name, data);
  }

  #showItem({ name, data: { notification, ...data } }: Incoming, state: InboxState): void {
    const item = { event: name, data, notification, state } as unknown as NotificationItem;
    this.notifications.inbox.add(item);
    if (isUnread(state)) this.#events.emit('notification', item);
  }

  #show(name: keyof ServerEvents, data: unknown): void {
    const event = this.#reduce({ name, data } as ServerEvent);
    if (event !== undefined) this.#events.emit(name, event as never);
  }

  // What an event changes of what is shown; returns what listeners are told.
  #reduce({ name, data }: ServerEvent): unknown {
    switch (name) {
      case 'balanceUpdate':
        this.#balances.update((all) => new Map(all).set(data.walletId, data));
        return data;
      case 'transferUpdate':
        getOrMake(this.#transfers, data.transferId, () => new Value<TransferUpdate | undefined>(undefined)).set(data);
        return data;
      case 'unread':
        this.notifications.inbox.setCounters(data);
        return data;
      case 'inboxChanged':
        this.notifications.inbox.change(data);
        return data;
      case 'presence':
        return this.#people.update(data) ? data : undefined;
      case 'friends':
        this.#showPeople(data.users);
        return data;
      case 'chatMessage': {
        const message = this.chat.message(data);
        const room = this.#room(data.roomId);
        if (room.has(message)) return undefined; // a page of the history brought it already
        room.add([message]);
        return message;
      }
      case 'chatRoom':
        if (data.userId === this.#user && LEFT.has(data.change)) this.#dropRoom(data.roomId);
        return this.chat.change(data);
      case 'chatRead':
        this.#room(data.roomId).read(data);
        return data;
      case 'typing':
        this.#room(data.roomId).typing(data);
        return data;
      default:
        return data;
    }
  }

  #showPeople(users: readonly PresenceUpdate[]): void {
    for (const user of this.#people.replace(users)) this.#events.emit('presence', user);
  }

  #room(roomId: string): Room {
    return getOrMake(this.#rooms, roomId, () => new Room());
  }

  // Of a room that may no longer be read nothing is shown, and nothing asked for.
  #dropRoom(roomId: string): void {
    this.#opened.drop(roomId);
    this.#rooms.get(roomId)?.clear();
  }

  // --- after a connection that was not recovered ---

  #newest(): [string, number][] {
    return [...this.#rooms].map(([roomId, room]) => [roomId, room.newestSeq]);
  }

  async #catchUp(isOver: () => boolean): Promise<void> {
    for (let attempts = 1; this.#missed && !isOver(); attempts++) {
      try {
        await this.#tellMissed(this.#missed, isOver);
      } catch (error) {
        if (isOver()) return;
        await pause(retryAfter(error) ?? this.#backoff.baseMs * Math.min(attempts, 10));
      }
    }
  }

  // Fails only with what may pass: what is refused for good must not keep back all the rest.
  async #tellMissed(missed: Missed, isOver: () => boolean): Promise<void> {
    const list = (before: string) => this.notifications.list({ limit: CATCH_UP_PAGE, ...(before && { before }) });
    const items = await unlessRefused(missedItems(list, this.#positions), []);
    await missed.messages.ask(
      async (roomId, after) => {
        const page = (await this.#ask('chat:history', { roomId, after, limit: CATCH_UP_PAGE })) as History;
        return page.messages;
      },
      (roomId) => this.#dropRoom(roomId),
    );
    if (isOver()) return;
    this.#missed = undefined;
    const messages = missed.messages.all;
    for (const message of messages) this.#receive('chat:message', message, undefined);
    for (const event of inOrder(items.flatMap(asIncoming), missed.held)) this.#handle(event);
    this.#events.emit('resync', { missed: items.length + messages.length });
    if (this.notifications.inbox.view.get().status !== 'idle') this.notifications.refresh().catch(() => undefined); // the view tells it
  }
}

/** What a member is told who is one no more. */
const LEFT: ReadonlySet<string> = new Set(['left', 'removed']);

interface Missed {
  held: Incoming[];
  messages: MissedMessages;
}

type ServerEvent = { [Name in keyof ServerEvents]: { name: Name; data: ServerEvents[Name] } }[keyof ServerEvents];

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

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
