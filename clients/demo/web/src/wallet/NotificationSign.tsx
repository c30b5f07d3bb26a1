import { type NotificationItem } from '@walletwire/client';
import { type ReactNode } from 'react';

import { Icon, type IconName } from '../ui/Icon';

const ICONS: Readonly<Record<NotificationItem['event'], IconName>> = {
  transaction: 'transfer',
  'transfer:update': 'transfer',
  payment: 'card',
  deposit: 'arrowIn',
  withdrawal: 'arrowOut',
  'security:alert': 'shield',
  'limit:exceeded': 'gauge',
  'kyc:update': 'person',
  'card:activity': 'card',
  announcement: 'megaphone',
};

export function NotificationSign({ item: { event, notification } }: { item: NotificationItem }): ReactNode {
  return (
    <span className="sign" data-priority={notification.priority} aria-hidden="true">
      <Icon name={ICONS[event]} />
    </span>
  );
}
