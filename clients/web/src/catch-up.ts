import { type InboxState, type NotificationItem, type WireEvent } from './generated/events.js';
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
