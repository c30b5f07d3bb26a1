// The answers of chat, under the names of this package.
import {
  type ChatHistoryReply,
  type ChatHistoryRequest,
  type ChatRoomEntry,
  type ChatRoomsReply,
  type ChatSendReply,
} from './generated/events.js';

export type SentMessage = ChatSendReply;
export type RoomEntry = ChatRoomEntry;
export type RoomPage = ChatRoomsReply;
export type History = ChatHistoryReply;
export type HistoryQuery = Pick<ChatHistoryRequest, 'before' | 'after' | 'limit'>;
