import { type NotificationItem } from './generated/events.js';
import { type Positions } from './positions.js';

/** More missed items than this are not told one by one; the inbox has them. */
const MISSED_MAX = 2000;
const PAGE = 100;

export interface Page {
  items: NotificationItem[];
  next: string;
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

export const CATCH_UP_PAGE = PAGE;
