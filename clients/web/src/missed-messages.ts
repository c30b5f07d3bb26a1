import { type History, type RoomEntry, type RoomPage } from './chat-types.js';
import { isTemporary } from './errors.js';
import { type ChatMessage, type ChatRead } from './generated/events.js';
import { type KnownRooms } from './rooms.js';

/** Of more rooms than these the messages that were missed are not told one by one; the list of rooms has them. */
const ROOMS_MAX = 200;

export interface ChatSource {
  /** The rooms, the one with the newest activity first; undefined if there is no such list. */
  rooms: (before: string) => Promise<RoomPage | undefined>;
  /** The newest page of a room, or the one below a number. */
  history: (roomId: string, before: number | undefined) => Promise<History>;
  opened: () => readonly string[];
  isShown: (roomId: string) => boolean;
  /** Whether a message is a later edition of one that is shown. */
  isEdited: (message: ChatMessage) => boolean;
  /** A room may no longer be read. */
  refused: (roomId: string) => void;
}

/**
 * Of the rooms that are open, and of those where something was written since: what follows the newest message that was
 * known, and later editions of what is shown. What one attempt got, the next has.
 */
export class MissedMessages {
  readonly #known: KnownRooms;
  readonly #pages = new Map<string, History[]>();
  #left: string[] | undefined;

  constructor(known: KnownRooms) {
    this.#known = known;
  }

  /** Asks all anew: there was another connection that was not recovered. */
  again(): MissedMessages {
    return new MissedMessages(this.#known);
  }

  of({ isEdited }: ChatSource): ChatMessage[] {
    return this.#all.flatMap(({ messages }) => messages.filter((one) => this.#isMissed(one) || isEdited(one)));
  }

  get readMarkers(): ChatRead[] {
    return this.#all.flatMap(({ readMarkers }) => readMarkers);
  }

  /** A room that refuses, since it may no longer be read, is left out from then on; only what may pass ends the attempt. */
  async ask(source: ChatSource): Promise<void> {
    this.#left ??= await this.#findRooms(source);
    for (let roomId = this.#left[0]; roomId !== undefined; roomId = this.#left[0]) {
      try {
        this.#pages.set(roomId, await this.#read(roomId, source));
      } catch (error) {
        if (isTemporary(error)) throw error;
        source.refused(roomId);
      }
      this.#left.shift();
    }
  }

  get #all(): History[] {
    return [...this.#pages.values()].flat();
  }

  // Whoever never heard of a room can have missed nothing there but what was sent after all that was heard of.
  #isMissed({ roomId, seq, timestamp }: ChatMessage): boolean {
    const known = this.#known.newest.get(roomId);
    return known === undefined ? this.#isLater(timestamp) : seq > known;
  }

  #isLater(timestamp: string): boolean {
    return this.#known.newestAt !== '' && timestamp > this.#known.newestAt;
  }

  async #findRooms({ rooms, opened, isShown }: ChatSource): Promise<string[]> {
    const { newest } = this.#known;
    const found = new Set(opened());
    if (found.size === 0 && newest.size === 0) return []; // nobody chats here
    const gone = new Set([...newest.keys()].filter(isShown));
    for (let before = ''; found.size < ROOMS_MAX;) {
      const page = await rooms(before);
      if (!page) break;
      for (const { id } of page.rooms) gone.delete(id);
      const news = page.rooms.filter((room) => this.#hasNews(room));
      for (const { id } of news) found.add(id);
      // Whoever is a member no more hears so by asking.
      if (!page.next) return [...found, ...[...gone].filter((id) => !found.has(id))];
      if (page.rooms.length > 0 && news.length === 0) break;
      before = page.next;
    }
    return [...found];
  }

  #hasNews({ id, newestSeq, lastMessage }: RoomEntry): boolean {
    const known = this.#known.newest.get(id);
    return known === undefined ? this.#isLater(lastMessage?.timestamp ?? '') : newestSeq > known;
  }

  // Down to what was known; pages below are asked for as long as they are there.
  async #read(roomId: string, { history }: ChatSource): Promise<History[]> {
    const pages: History[] = [];
    for (let before: number | undefined; ;) {
      const page = await history(roomId, before);
      pages.unshift(page);
      const oldest = page.messages[0];
      if (!oldest || !this.#isMissed(oldest) || oldest.seq <= page.oldestSeq || oldest.seq >= (before ?? Infinity))
        return pages;
      before = oldest.seq;
    }
  }
}
