import { type NotificationItem } from '@walletwire/client';
import { useNotifications } from '@walletwire/react';
import { type ReactNode } from 'react';

import { strings } from '../strings';
import { Icon } from '../ui/Icon';
import { isUnread } from './items';

type Alert = Extract<NotificationItem, { event: 'security:alert' }>;

function isAlert(item: NotificationItem): item is Alert {
  return item.event === 'security:alert' && isUnread(item);
}

/** The newest security alert that was not read; to dismiss it is to have read it, on all devices. */
export function AlertBanner(): ReactNode {
  const { items, read } = useNotifications();
  const alerts = items.filter(isAlert);
  const [alert] = alerts;
  if (!alert) return null;
  const { data, notification } = alert;
  return (
    <section className="alert appears" role="alert" data-severity={data.severity}>
      <Icon name="shield" />
      <div className="alert-text">
        <p>
          <strong>{notification.title || strings.alert.heading}</strong>
          {alerts.length > 1 && <span className="tag bad">{strings.alert.more(alerts.length - 1)}</span>}
        </p>
        <p>{data.message || notification.text}</p>
        {data.action !== '' && <p className="alert-action">{data.action}</p>}
      </div>
      <button
        type="button"
        className="button quiet compact"
        onClick={() => void read([notification.id]).catch(() => undefined)}
      >
        {strings.alert.dismiss}
      </button>
    </section>
  );
}
