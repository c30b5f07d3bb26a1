import { type ChatMessage, type ChatRoom, type ChatRoomChange } from './generated/events.js';
import { type History, type HistoryQuery, type RoomPage, type SentMessage } from './chat-types.js';
import { randomId } from './id.js';
import { type Cancel } from './signal.js';
import { unescapeHtml } from './text.js';

export interface SendOptions extends Cancel {
  /** The idempotency key; a random one unless given. Sending with it again returns the first message. */
  clientId?: string;
}

/** Whom a message is for, or whose history is asked for. */
export type Conversation = { roomId: string } | { recipientId: string };

export interface ChatPort {
  ask: (event: string, payload: object, cancel?: Cancel) => Promise<unknown>;
  /** The same through the queue that survives a loss of the connection. */
  enqueue: (event: string, payload: object, id: string, lane: string, cancel?: Cancel) => Promise<unknown>;
  /** Whether texts come HTML-escaped. */
  escaped: boolean;
}

/** The verbs of chat. */
export class Chat {
  readonly #port: ChatPort;

  constructor(port: ChatPort) {
    this.#port = port;
  }

  async send(
    text: string,
    to: Conversation,
    { clientId = randomId(), ...cancel }: SendOptions = {},
  ): Promise<SentMessage> {
    const lane = `chat ${'roomId' in to ? to.roomId : `to ${to.recipientId}`}`;
    return (await this.#port.enqueue('chat:send', { ...to, text, clientId }, clientId, lane, cancel)) as SentMessage;
  }

  async history(of: Conversation, query: HistoryQuery = {}, cancel?: Cancel): Promise<History> {
    const history = (await this.#port.ask('chat:history', { ...of, ...query }, cancel)) as History;
    return {
      ...history,
      name: this.#plain(history.name),
      messages: history.messages.map((message) => this.message(message)),
    };
  }

  async rooms(query: { before?: string; limit?: number } = {}, cancel?: Cancel): Promise<RoomPage> {
    const page = (await this.#port.ask('chat:rooms', query, cancel)) as RoomPage;
    const rooms = page.rooms.map((room) => ({
      ...room,
      name: this.#plain(room.name),
      ...(room.lastMessage && { lastMessage: this.message(room.lastMessage) }),
    }));
    return { ...page, rooms };
  }

  /** A direct room is found if there is one. */
  create(
    room: { type: 'direct' | 'group'; name?: string; members: readonly string[]; clientId?: string },
    cancel?: Cancel,
  ): Promise<ChatRoom> {
    // Of a direct room its members are the key.
    const { clientId = randomId(), ...of } = room;
    return this.#room('chat:create', of.type === 'direct' ? of : { ...of, clientId }, cancel);
  }

  invite(roomId: string, userId: string, cancel?: Cancel): Promise<ChatRoom> {
    return this.#room('chat:invite', { roomId, userId }, cancel);
  }

  join(roomId: string, cancel?: Cancel): Promise<ChatRoom> {
    return this.#room('chat:join', { roomId }, cancel);
  }

  async leave(roomId: string, cancel?: Cancel): Promise<void> {
    await this.#port.ask('chat:leave', { roomId }, cancel);
  }

  remove(roomId: string, userId: string, cancel?: Cancel): Promise<ChatRoom> {
    return this.#room('chat:remove', { roomId, userId }, cancel);
  }

  rename(roomId: string, name: string, cancel?: Cancel): Promise<ChatRoom> {
    return this.#room('chat:rename', { roomId, name }, cancel);
  }

  /** Of a member, by the owner, who hands over by making somebody else the owner. */
  role(roomId: string, userId: string, role: 'owner' | 'admin' | 'member', cancel?: Cancel): Promise<ChatRoom> {
    return this.#room('chat:role', { roomId, userId, role }, cancel);
  }

  async edit(roomId: string, seq: number, text: string, cancel?: Cancel): Promise<void> {
    await this.#port.ask('chat:edit', { roomId, seq, text }, cancel);
  }

  async delete(roomId: string, seq: number, cancel?: Cancel): Promise<void> {
    await this.#port.ask('chat:delete', { roomId, seq }, cancel);
  }

  /** One's own read marker, which never goes back. */
  async read(roomId: string, seq: number, cancel?: Cancel): Promise<void> {
    await this.#port.enqueue('chat:read', { roomId, seq }, `read ${roomId} ${seq}`, `chat:read ${roomId}`, cancel);
  }

  async typing(roomId: string, typing: boolean, cancel?: Cancel): Promise<void> {
    await this.#port.ask('chat:typing', { roomId, typing }, cancel);
  }

  async block(userId: string, cancel?: Cancel): Promise<void> {
    await this.#port.ask('chat:block', { userId }, cancel);
  }

  async unblock(userId: string, cancel?: Cancel): Promise<void> {
    await this.#port.ask('chat:unblock', { userId }, cancel);
  }

  async report(roomId: string, seq: number, reason: string, cancel?: Cancel): Promise<void> {
    await this.#port.ask('chat:report', { roomId, seq, reason }, cancel);
  }

  /** A message with its text as its author wrote it. */
  message(message: ChatMessage): ChatMessage {
    return { ...message, text: this.#plain(message.text) };
  }

  /** A change of a room with the name as its author wrote it. */
  change(change: ChatRoomChange): ChatRoomChange {
    return change.room ? { ...change, room: { ...change.room, name: this.#plain(change.room.name) } } : change;
  }

  async #room(event: string, payload: object, cancel?: Cancel): Promise<ChatRoom> {
    const { room } = (await this.#port.ask(event, payload, cancel)) as { room: ChatRoom };
    return { ...room, name: this.#plain(room.name) };
  }

  #plain(text: string): string {
    return this.#port.escaped ? unescapeHtml(text) : text;
  }
}
