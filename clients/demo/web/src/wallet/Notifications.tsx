import { type NotificationItem } from '@walletwire/client';
import { useNotifications, useUnreadCount } from '@walletwire/react';
import { type ReactNode, useEffect, useState } from 'react';

import { messageOf } from '../bank';
import { strings } from '../strings';
import { formatWhen, useNow } from '../time';
import { isOver, isUnread } from './items';
import { NotificationSign } from './NotificationSign';

const MINUTE_MS = 60_000;

export function Notifications(): ReactNode {
  const { items, status, hasMore, more, refresh, seen, read, archive } = useNotifications();
  const unread = useUnreadCount();
  const now = useNow(MINUTE_MS);
  const [error, setError] = useState<string>();
  const shown = items.filter((item) => !isOver(item, now));

  // What stands here is seen; it stays unread.
  const hasUnseen = shown.some(({ state }) => state === 'unseen' || state === '');
  useEffect(() => {
    if (hasUnseen) seen('all').catch(() => undefined);
  }, [hasUnseen, seen]);

  const attempt = (change: Promise<unknown>): void => {
    change.then(
      () => setError(undefined),
      (reason: unknown) => setError(messageOf(reason)),
    );
  };
  return (
    <section className="notifications" aria-labelledby="notifications-heading">
      <header className="card-head">
        <h2 id="notifications-heading">{strings.notifications.heading}</h2>
        <button type="button" className="link-button" disabled={unread === 0} onClick={() => attempt(read('all'))}>
          {strings.notifications.readAll}
        </button>
      </header>
      {error !== undefined && (
        <p className="notice bad" role="alert">
          {error}
        </p>
      )}
      <ul className="notification-list">
        {shown.map((item) => (
          <Item
            key={item.notification.id}
            item={item}
            now={now}
            onRead={() => attempt(read([item.notification.id]))}
            onArchive={() => attempt(archive([item.notification.id]))}
          />
        ))}
      </ul>
      {shown.length === 0 && status === 'ready' && <p className="empty">{strings.notifications.none}</p>}
      {status === 'loading' && <p className="empty">{strings.loading}</p>}
      {status === 'failed' && (
        <p className="empty">
          {strings.notifications.failed}{' '}
          <button type="button" className="link-button" onClick={() => attempt(refresh())}>
            {strings.retry}
          </button>
        </p>
      )}
      {hasMore && status === 'ready' && (
        <p className="more">
          <button type="button" className="button quiet compact" onClick={() => attempt(more())}>
            {strings.notifications.more}
          </button>
        </p>
      )}
    </section>
  );
}

interface ItemProps {
  item: NotificationItem;
  now: number;
  onRead: () => void;
  onArchive: () => void;
}

function Item({ item, now, onRead, onArchive }: ItemProps): ReactNode {
  const { title, text, priority, createdAt } = item.notification;
  const waits = isUnread(item);
  return (
    <li className={`notification ${waits ? 'unread' : ''}`} data-event={item.event}>
      <NotificationSign item={item} />
      <div className="notification-text">
        <p className="notification-title">
          <strong>{title}</strong>
          {waits && <span className="unseen"> ({strings.unread})</span>}
          {(priority === 'high' || priority === 'critical') && (
            <span className={`tag ${priority === 'critical' ? 'bad' : 'warn'}`}>{strings.priority[priority]}</span>
          )}
        </p>
        {text !== '' && <p className="soft small">{text}</p>}
        <p className="notification-foot">
          <time className="soft" dateTime={createdAt}>
            {formatWhen(createdAt, now)}
          </time>
          {waits && (
            <button type="button" className="link-button" onClick={onRead}>
              {strings.notifications.read}
              <span className="unseen">: {title}</span>
            </button>
          )}
          {item.event !== 'announcement' && (
            <button type="button" className="link-button" onClick={onArchive}>
              {strings.notifications.archive}
              <span className="unseen">: {title}</span>
            </button>
          )}
        </p>
      </div>
      {waits && <span className="unread-dot" aria-hidden="true" />}
    </li>
  );
}
