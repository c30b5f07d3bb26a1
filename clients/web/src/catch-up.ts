import { isTemporary } from './errors.js';
import { type ChatMessage, type InboxState, type NotificationItem, type WireEvent } from './generated/events.js';
import { type Numbered, type Positions, seqOf } from './positions.js';

/** More missed items than this are not told one by one; the inbox has them. */
const MISSED_MAX = 2000;
const PAGE = 100;

export interface Page {
  items: NotificationItem[];
  next: string;
}

/** An event as it came; `state` if it is out of a list of the inbox. */
export interface Incoming {
  name: string;
  wire: WireEvent;
  data: Numbered;
  offset: string | undefined;
  state?: InboxState;
}

/** What came to the inbox after the positions, oldest first: asked for after a connection that was not recovered. */
export async function missedItems(
  list: (before: string) => Promise<Page>,
  positions: Positions,
): Promise<NotificationItem[]> {
  const missed: NotificationItem[] = [];
  let before = '';
  do {
    const page = await list(before);
    const news = page.items.filter((item) => isNews(item, positions));
    missed.push(...news);
    const old = page.items.some((item) => item.event !== 'announcement' && !isNews(item, positions));
    before = old ? '' : page.next;
  } while (before && missed.length < MISSED_MAX);
  return missed.reverse();
}

function isNews(item: NotificationItem, { seq, announcement }: Positions): boolean {
  if (item.event === 'announcement') return item.data.announcementSeq > announcement;
  return seq !== undefined && item.notification.seq > seq;
}

/** Of the rooms that were seen: what follows the newest message that was. What one attempt got, the next has. */
export class MissedMessages {
  readonly #rooms: Map<string, { after: number; messages: ChatMessage[] }>;

  /** Rooms with the number of their newest message; of those with none, nothing can have been missed. */
  constructor(rooms: Iterable<readonly [string, number]>) {
    const seen = [...rooms].filter(([, newest]) => newest > 0);
    this.#rooms = new Map(seen.map(([roomId, newest]) => [roomId, { after: newest, messages: [] }]));
  }

  get all(): ChatMessage[] {
    return [...this.#rooms.values()].flatMap(({ messages }) => messages);
  }

  /** A room that refuses, since it may no longer be read, is left out from then on; only what may pass ends the attempt. */
  async ask(
    history: (roomId: string, after: number) => Promise<readonly ChatMessage[]>,
    refused: (roomId: string) => void,
  ): Promise<void> {
    for (const [roomId, room] of this.#rooms) {
      try {
        for (let page = await history(roomId, room.after); page.length > 0; page = await history(roomId, room.after)) {
          room.messages.push(...page);
          room.after = page.at(-1)?.seq ?? room.after;
        }
      } catch (error) {
        if (isTemporary(error)) throw error;
        this.#rooms.delete(roomId);
        refused(roomId);
      }
    }
  }
}

/**
 * What was listed and what came live meanwhile, each by its number. The list has no events beside the inbox, such as those
 * of chat: told after it, they would be below the position that it leaves behind. Both is there once: positions see to it.
 */
export function inOrder(listed: readonly Incoming[], held: readonly Incoming[]): Incoming[] {
  const isLog = ({ wire }: Incoming): boolean => wire.delivery === 'log';
  const byNumber = (events: readonly Incoming[]): Incoming[] => [...events].sort((a, b) => numberOf(a) - numberOf(b));
  const logged = byNumber(held.filter(isLog));
  const mailed = byNumber(held.filter((event) => !isLog(event)));
  const merged: Incoming[] = [];
  for (const event of listed) {
    const live = isLog(event) ? logged : mailed;
    while (live[0] && numberOf(live[0]) < numberOf(event)) merged.push(...live.splice(0, 1));
    merged.push(event);
  }
  const left = new Set([...logged, ...mailed]);
  return [...merged, ...held.filter((event) => left.has(event))];
}

function numberOf({ wire, data, offset }: Incoming): number {
  return (wire.delivery === 'log' ? data.announcementSeq : seqOf(wire, data, offset)) ?? Infinity;
}

export const CATCH_UP_PAGE = PAGE;
