import { type NotificationItem } from '@walletwire/client';
import { useEvent } from '@walletwire/react';
import { type ReactNode, useEffect, useState } from 'react';

import { isUnread } from './items';
import { NotificationSign } from './NotificationSign';

const SHOWN_MS = 5000;
const AT_ONCE = 3;

/** Each notification that comes, for a moment; screen readers are told politely. Alerts and announcements have their own place. */
export function Toasts(): ReactNode {
  const [items, setItems] = useState<readonly NotificationItem[]>([]);
  useEvent('notification', (item) => {
    const hasOwnPlace = item.event === 'security:alert' || item.event === 'announcement';
    if (isUnread(item) && !hasOwnPlace) setItems((all) => [...all, item].slice(-AT_ONCE));
  });
  useEvent('inboxChanged', ({ action, ids }) => {
    if (action === 'recalled') setItems((all) => all.filter(({ notification }) => !ids?.includes(notification.id)));
  });
  useEffect(() => {
    if (items.length === 0) return undefined;
    const timer = setTimeout(() => setItems((all) => all.slice(1)), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [items]);
  return (
    <div className="toasts" role="status">
      {items.map((item) => (
        <div key={item.notification.id} className="toast appears">
          <NotificationSign item={item} />
          <span className="toast-text">
            <strong>{item.notification.title}</strong>
            <span className="soft small">{item.notification.text}</span>
          </span>
        </div>
      ))}
    </div>
  );
}
