import { type NotificationItem } from '@walletwire/client';

const DONE: ReadonlySet<string> = new Set(['read', 'archived', 'expired', 'recalled']);

export function isUnread({ state }: NotificationItem): boolean {
  return !DONE.has(state);
}

/** Items of the inbox are told by their time; of announcements some end. */
export function isOver({ notification }: NotificationItem, now: number): boolean {
  return notification.expiresAt !== undefined && Date.parse(notification.expiresAt) <= now;
}
