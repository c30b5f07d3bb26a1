import { type Backoff } from './backoff.js';
import { type History, type HistoryQuery, type RoomPage, type SentMessage } from './chat-types.js';
import { Chat, type Conversation, type SendOptions } from './chat.js';
import { Emitter } from './emitter.js';
import { RealtimeError } from './errors.js';
import { Feed } from './feed.js';
import {
  type BalanceUpdate,
  type PresenceFriendsReply,
  type PresenceList,
  type PresenceUpdate,
  type TransferUpdate,
  type Unread,
} from './generated/events.js';
import { type InboxView } from './inbox.js';
import { type ConnectionState, type Link } from './link.js';
import { Notifications } from './notifications.js';
import { type ClientEvents, type ClientOptions } from './options.js';
import { type Entry, Outbox } from './outbox.js';
import { type PeopleView } from './people.js';
import { Resumption } from './resumption.js';
import { type RoomView } from './room.js';
import { type Cancel } from './signal.js';
import { SocketLink } from './socket-link.js';
import { type Store, Value } from './store.js';
import { TabsLink } from './tabs-link.js';
import { ofOneUser, type TokenProvider } from './token.js';
import { Views } from './views.js';
import { Wanted } from './wanted.js';

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
  readonly #views: Views;
  readonly #feed: Feed;
  #link: Link | undefined;
  #unwatch: () => void = () => undefined;
  #outbox: Outbox | undefined;
  readonly #resumption = new Resumption((isOver) => this.#catchUp(isOver));
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
        upTo: this.#feed.seq,
        all: this.#connection.get().status === 'online' && !this.#feed.isBehind,
      }),
      escaped: options.escapedTexts ?? true,
    };
    this.notifications = new Notifications(port);
    this.chat = new Chat(port);
    this.#views = new Views({
      events: this.#events,
      inbox: this.notifications.inbox,
      user: () => this.#user,
      left: (roomId) => this.#opened.drop(roomId),
    });
    this.#feed = new Feed({
      events: this.#events,
      views: this.#views,
      notifications: this.notifications,
      chat: this.chat,
      opened: () => this.#opened.keys,
      backoff: this.#backoff,
    });
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
      event: (name, data, offset) => this.#feed.receive(name, data, offset),
    });
  }

  /** Ends the connection and forgets whose it was. What waits to be sent fails, and stays in the storage if there is one. */
  disconnect(): void {
    this.#unwatch();
    this.#link?.close();
    this.#outbox?.close();
    this.#link = undefined;
    this.#outbox = undefined;
    this.#resumption.stop();
    this.#feed.clear();
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
    return this.#views.balances;
  }

  /** The balances of all wallets or of one, not older than 30 seconds. */
  async balance(walletId?: string, cancel?: Cancel): Promise<BalanceUpdate[]> {
    const reply = await this.#ask('balance:get', walletId === undefined ? {} : { walletId }, cancel);
    const { balances } = reply as { balances: BalanceUpdate[] };
    for (const balance of balances) this.#feed.receive('balance:update', balance);
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
    return this.#views.transfer(transferId);
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
    return this.#views.people.view;
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
    for (const user of users) this.#feed.receive('presence:update', user);
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

  async rooms(query?: { before?: string; limit?: number }, cancel?: Cancel): Promise<RoomPage> {
    const page = await this.chat.rooms(query, cancel);
    this.#views.rooms.list(page.rooms);
    return page;
  }

  /** A page of a room, which is shown by `room(...)` too. */
  async history(of: string | Conversation, query?: HistoryQuery, cancel?: Cancel): Promise<History> {
    const history = await this.chat.history(typeof of === 'string' ? { roomId: of } : of, query, cancel);
    this.#views.rooms.addPage(history);
    return history;
  }

  room(roomId: string): Store<RoomView> {
    return this.#views.rooms.get(roomId).view;
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

  #follow(state: ConnectionState): void {
    this.#connection.set(state);
    this.#outbox?.setOnline(state.status === 'online');
    if (state.status === 'online') void this.#resumption.resume(() => this.#connection.get().status === 'online');
  }

  #online(recovered: boolean): void {
    if (recovered) return;
    this.#resumption.begin();
    this.#feed.begin();
  }

  // Tells what was missed, and asks for what is wanted.
  async #catchUp(isOver: () => boolean): Promise<void> {
    await Promise.all([this.#feed.catchUp(isOver), this.#tracked.restore(this.#backoff, isOver)]);
    // Their newest pages would hide how far what was missed goes back.
    await this.#opened.restore(this.#backoff, isOver);
  }

  async #track(transferId: string, cancel?: Cancel): Promise<TransferUpdate | undefined> {
    const { transfer } = (await this.#ask('transfer:track', { transferId }, cancel)) as { transfer?: TransferUpdate };
    if (transfer) this.#feed.receive('transfer:update', transfer);
    return transfer;
  }

  async #open(roomId: string, cancel?: Cancel): Promise<void> {
    const ended = this.#views.rooms.get(roomId).load();
    try {
      await this.#ask('subscribe', { channel: `room:${roomId}` }, cancel);
      await this.history(roomId, {}, cancel);
      ended('ready');
    } catch (error) {
      ended('failed');
      throw error;
    }
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
