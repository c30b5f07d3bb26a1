import { type Announcement, type Notification } from './generated/events.js';

/**
 * A live announcement as an item of the inbox, which it is: it comes without the part that other items have, since it is
 * the same for everybody. `unread` is the newest counter, which the server tells before the announcement.
 */
export function withNotification(
  announcement: Announcement & { notification?: Notification },
  unread: number,
): Announcement & { notification: Notification } {
  const { id, title, text, priority, expiresAt } = announcement;
  const createdAt = new Date().toISOString(); // when it came; the inbox has the server's word, once it is listed
  const made = {
    id,
    seq: 0,
    type: 'announcement',
    priority,
    title,
    text,
    createdAt,
    unread,
    ...(expiresAt && { expiresAt }),
  };
  return { ...announcement, notification: announcement.notification ?? made };
}
