import { type History, type RoomEntry } from './chat-types.js';
import { type ChatMessage } from './generated/events.js';
import { getOrMake } from './maps.js';
import { Room } from './room.js';

/** How far the rooms of a user are known. */
export interface KnownRooms {
  /** Of each, the number of its newest message; 0 if it had none. */
  newest: ReadonlyMap<string, number>;
  /** When the newest message of all was sent, by the server's clock; empty as long as there is none. */
  newestAt: string;
}

/** All rooms that were shown or listed. */
export class Rooms {
  readonly #rooms = new Map<string, Room>();
  readonly #newest = new Map<string, number>();
  #newestAt = '';

  get(roomId: string): Room {
    return getOrMake(this.#rooms, roomId, () => new Room());
  }

  get known(): KnownRooms {
    return { newest: new Map(this.#newest), newestAt: this.#newestAt };
  }

  add(message: ChatMessage): void {
    this.get(message.roomId).add([message]);
    this.#know(message.roomId, message.seq, message);
  }

  addPage({ roomId, messages, readMarkers, newestSeq }: History): void {
    const room = this.get(roomId);
    room.add(messages);
    for (const marker of readMarkers) room.read(marker);
    this.#know(roomId, newestSeq, messages.at(-1));
  }

  /** What a list says of them, which shows nothing. */
  list(entries: readonly RoomEntry[]): void {
    for (const { id, newestSeq, lastMessage } of entries) this.#know(id, newestSeq, lastMessage);
  }

  /** Nothing is shown of it any more. */
  drop(roomId: string): void {
    this.#rooms.get(roomId)?.clear();
    this.#newest.delete(roomId);
  }

  /** In place: whoever watches a room goes on watching it, and sees that it is empty. */
  clear(): void {
    for (const room of this.#rooms.values()) room.clear();
    this.#newest.clear();
    this.#newestAt = '';
  }

  #know(roomId: string, seq: number, newest: ChatMessage | undefined): void {
    this.#newest.set(roomId, Math.max(seq, this.#newest.get(roomId) ?? 0));
    if (newest && newest.timestamp > this.#newestAt) this.#newestAt = newest.timestamp;
  }
}
