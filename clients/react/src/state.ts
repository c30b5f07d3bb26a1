import {
  type BalanceUpdate,
  type ConnectionState,
  type InboxView,
  type PeopleView,
  type RoomView,
  type Selection,
  type SentMessage,
} from '@walletwire/client';
import { useEffect, useMemo } from 'react';

import { useRealtime } from './context.js';
import { useStore } from './subscriptions.js';

export function useConnection(): ConnectionState {
  return useStore(useRealtime().connection);
}

/** The balance of a wallet; undefined as long as it is not known. */
export function useBalance(walletId: string): BalanceUpdate | undefined {
  return useStore(useRealtime().balances).get(walletId);
}

export interface NotificationsResult extends InboxView {
  more: () => Promise<void>;
  refresh: () => Promise<void>;
  seen: (selection: Selection) => Promise<unknown>;
  read: (selection: Selection) => Promise<unknown>;
  archive: (selection: Selection) => Promise<unknown>;
}

/** The inbox, newest first, whose first page is read when it is needed first, and what can be done with it. */
export function useNotifications(): NotificationsResult {
  const { inbox, notifications } = useRealtime();
  const view = useStore(inbox);
  useEffect(() => {
    notifications.load().catch(() => undefined); // the view tells it
  }, [notifications]);
  return useMemo(
    () => ({
      ...view,
      more: () => notifications.more(),
      refresh: () => notifications.refresh(),
      seen: (selection) => notifications.seen(selection),
      read: (selection) => notifications.read(selection),
      archive: (selection) => notifications.archive(selection),
    }),
    [view, notifications],
  );
}

/** How many notifications are unread; 0 as long as it is not known. */
export function useUnreadCount(): number {
  return useStore(useRealtime().unread)?.total ?? 0;
}

/** Friends and their presence; whoever is not in it is offline. */
export function usePresence(): PeopleView {
  return useStore(useRealtime().people);
}

export interface ChatRoomResult extends RoomView {
  send: (text: string) => Promise<SentMessage>;
  setTyping: (typing: boolean) => Promise<void>;
  read: (seq: number) => Promise<void>;
}

/** A room, open while the component is mounted. */
export function useChatRoom(roomId: string): ChatRoomResult {
  const client = useRealtime();
  const view = useStore(client.room(roomId));
  useEffect(() => {
    client.openRoom(roomId).catch(() => undefined); // the view tells it
    return () => void client.closeRoom(roomId).catch(() => undefined);
  }, [client, roomId]);
  return useMemo(
    () => ({
      ...view,
      send: (text) => client.sendRoomMessage(text, roomId),
      setTyping: (typing) => client.typing(roomId, typing),
      read: (seq) => client.chat.read(roomId, seq),
    }),
    [view, client, roomId],
  );
}

/** Who is typing in a room that is open. */
export function useTyping(roomId: string): readonly string[] {
  return useStore(useRealtime().room(roomId)).typing;
}
