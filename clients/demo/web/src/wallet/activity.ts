// What moved money, as a list: made of the items of the inbox, each movement once with the newest word about it.
import { type NotificationItem } from '@walletwire/client';

import { type Amount } from '../money';

export interface Movement {
  id: string;
  kind: 'transaction' | 'transfer' | 'payment' | 'deposit' | 'withdrawal' | 'card';
  title: string;
  detail: string;
  amount: Amount | undefined;
  currency: string;
  direction: 'in' | 'out' | undefined;
  status: 'pending' | 'completed' | 'failed';
  at: string;
}

/** Kinds of the inbox that may be movements, as `notifications.list` wants them. */
export const MOVEMENT_TYPES = ['transaction', 'transfer', 'payment', 'deposit', 'withdrawal', 'card'];

type Status = Movement['status'];

const STATUS: Readonly<Record<string, Status>> = { completed: 'completed', failed: 'failed', cancelled: 'failed' };

function statusOf(text: string): Status {
  return STATUS[text] ?? 'pending';
}

/** What an item says of a movement; undefined if it is about something else. */
export function movementOf({ event, data, notification }: NotificationItem): Movement | undefined {
  const { title, text, createdAt } = notification;
  const common = { title, detail: text, at: createdAt };
  switch (event) {
    case 'transaction': {
      const { id, amount, currency, status, message, counterparty } = data;
      const direction = data.direction === 'incoming' ? 'in' : 'out';
      const named = { title: counterparty?.name || title, detail: message || title };
      return { ...common, ...named, id, kind: 'transaction', amount, currency, direction, status: statusOf(status) };
    }
    case 'payment':
    case 'withdrawal':
    case 'deposit': {
      const { id, amount, currency, status } = data;
      const direction = event === 'deposit' ? 'in' : 'out';
      return { ...common, id, kind: event, amount, currency, direction, status: statusOf(status) };
    }
    case 'transfer:update': {
      const { transferId, amount, currency, state } = data;
      const status = statusOf(state);
      return { ...common, id: transferId, kind: 'transfer', amount, currency, direction: undefined, status };
    }
    case 'card:activity': {
      const { amount, currency, merchant, type, message } = data;
      if (amount === undefined) return undefined;
      const direction = type === 'refund' ? 'in' : 'out';
      const status = type === 'declined' ? 'failed' : 'completed';
      const named = { title: merchant || title, detail: message || text };
      return { ...common, ...named, id: notification.id, kind: 'card', amount, currency, direction, status };
    }
    default:
      return undefined;
  }
}

/** A transaction says more than the transfer it is the sum of; else the later word counts, and an end is final. */
function isBetter(next: Movement, known: Movement): boolean {
  if (next.kind !== known.kind) return known.kind === 'transfer';
  return known.status === 'pending' && (next.status !== 'pending' || next.at >= known.at);
}

/** The list with these in it, newest first. */
export function withMovements(list: readonly Movement[], more: readonly Movement[]): readonly Movement[] {
  const byId = new Map(list.map((movement) => [movement.id, movement]));
  for (const movement of more) {
    const known = byId.get(movement.id);
    if (!known || isBetter(movement, known)) byId.set(movement.id, movement);
  }
  return [...byId.values()].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}
