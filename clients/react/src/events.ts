import { type ClientEvents, type TransferUpdate } from '@walletwire/client';
import { useEffect } from 'react';

import { useRealtime } from './context.js';
import { useEvent } from './subscriptions.js';

type Listener<Name extends keyof ClientEvents> = (data: ClientEvents[Name]) => void;

export function useBalanceUpdates(listener: Listener<'balanceUpdate'>): void {
  useEvent('balanceUpdate', listener);
}

export function useTransactionNotifications(listener: Listener<'transaction'>): void {
  useEvent('transaction', listener);
}

export function usePresenceUpdates(listener: Listener<'presence'>): void {
  useEvent('presence', listener);
}

/** Messages of all rooms, or of one. */
export function useChatMessages(listener: Listener<'chatMessage'>, roomId?: string): void {
  useEvent('chatMessage', (message) => {
    if (roomId === undefined || message.roomId === roomId) listener(message);
  });
}

/** Transfers that are tracked; one that is named here is tracked while the component is mounted. */
export function useTransferUpdates(listener: (update: TransferUpdate) => void, transferId?: string): void {
  const client = useRealtime();
  useEvent('transferUpdate', (update) => {
    if (transferId === undefined || update.transferId === transferId) listener(update);
  });
  useEffect(() => {
    if (transferId === undefined) return undefined;
    client.trackTransfer(transferId).catch(ignore); // it is tracked again by the next connection
    return () => void client.untrackTransfer(transferId).catch(ignore);
  }, [client, transferId]);
}

function ignore(): void {
  // Told by the state of the connection.
}
