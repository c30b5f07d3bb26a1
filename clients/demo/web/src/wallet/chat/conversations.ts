// Direct rooms by the friend they are with: the newest message of each, and how many wait to be read.
import { type ChatMessage, type RoomEntry } from '@walletwire/client';

export interface Conversation {
  roomId: string;
  unread: number;
  newestSeq: number;
  last: ChatMessage | undefined;
}

/** By the id of the friend. */
export type Conversations = ReadonlyMap<string, Conversation>;

export function conversationsOf(rooms: readonly RoomEntry[], me: string): Conversations {
  const all = new Map<string, Conversation>();
  for (const { id, type, members, unread, newestSeq, lastMessage } of rooms) {
    const friend = members.find((member) => member !== me);
    if (type === 'direct' && friend !== undefined)
      all.set(friend, { roomId: id, unread, newestSeq, last: lastMessage });
  }
  return all;
}

function find(all: Conversations, roomId: string): [string, Conversation] | undefined {
  return [...all].find(([, conversation]) => conversation.roomId === roomId);
}

/** A message came; undefined if it is of a room that is not known yet. */
export function withMessage(all: Conversations, message: ChatMessage, me: string): Conversations | undefined {
  const found = find(all, message.roomId);
  if (!found) return undefined;
  const [friend, known] = found;
  if (message.seq < known.newestSeq) return all;
  const isNew = message.seq > known.newestSeq;
  const added = isNew ? known.unread + 1 : known.unread;
  const unread = isNew && message.senderId === me ? 0 : added; // whoever writes has read up to there
  return new Map(all).set(friend, { ...known, unread, last: message, newestSeq: message.seq });
}

/** One's own marker moved, on this or another device. */
export function withRead(all: Conversations, roomId: string, seq: number): Conversations {
  const found = find(all, roomId);
  if (!found) return all;
  const [friend, known] = found;
  const unread = Math.min(known.unread, Math.max(0, known.newestSeq - seq));
  return unread === known.unread ? all : new Map(all).set(friend, { ...known, unread });
}

export function unreadIn(all: Conversations): number {
  let total = 0;
  for (const { unread } of all.values()) total += unread;
  return total;
}
