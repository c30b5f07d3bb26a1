export { RealtimeProvider, type RealtimeProviderProps, useRealtime } from './context.js';
export {
  useBalanceUpdates,
  useChatMessages,
  usePresenceUpdates,
  useTransactionNotifications,
  useTransferUpdates,
} from './events.js';
export {
  type ChatRoomResult,
  type NotificationsResult,
  useBalance,
  useChatRoom,
  useConnection,
  useNotifications,
  usePresence,
  useTyping,
  useUnreadCount,
} from './state.js';
export { useEvent, useStore } from './subscriptions.js';
