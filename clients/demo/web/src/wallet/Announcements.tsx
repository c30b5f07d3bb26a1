import { useNotifications } from '@walletwire/react';
import { type ReactNode } from 'react';

import { strings } from '../strings';
import { useNow } from '../time';
import { Icon } from '../ui/Icon';
import { isOver, isUnread } from './items';

const SECOND_MS = 1000;
/** The others stand in the list of notifications. */
const AT_ONCE = 2;

/** What is said to everybody and still holds: gone when it was read, taken back, or has ended. */
export function Announcements(): ReactNode {
  const { items, read } = useNotifications();
  const all = items.filter((item) => item.event === 'announcement' && isUnread(item));
  const ends = all.some(({ notification }) => notification.expiresAt !== undefined);
  const now = useNow(ends ? SECOND_MS : undefined);
  const live = all.filter((item) => !isOver(item, now));
  if (live.length === 0) return null;
  return (
    <ul className="announcements" aria-label={strings.announcements.heading}>
      {live.slice(0, AT_ONCE).map(({ notification: { id, title, text, priority } }) => (
        <li key={id} className="announcement appears" data-priority={priority}>
          <Icon name="megaphone" />
          <p>
            <strong>{title}</strong> {text}
          </p>
          <button
            type="button"
            className="icon-button small-icon"
            aria-label={strings.announcements.dismiss(title)}
            onClick={() => void read([id]).catch(() => undefined)}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
