// Messages that were written and are not in the room yet: they stand below the others until they are.
import { type ChatMessage } from '@walletwire/client';

export interface Waiting {
  clientId: string;
  roomId: string;
  text: string;
  status: 'waiting' | 'failed';
  error?: string;
}

export type WaitingAction =
  | { type: 'written'; clientId: string; roomId: string; text: string }
  | { type: 'failed'; clientId: string; error: string }
  | { type: 'arrived' | 'dropped'; clientId: string };

export function reduceWaiting(list: readonly Waiting[], action: WaitingAction): readonly Waiting[] {
  const others = list.filter(({ clientId }) => clientId !== action.clientId);
  switch (action.type) {
    case 'written': {
      const { clientId, roomId, text } = action;
      return [...others, { clientId, roomId, text, status: 'waiting' }];
    }
    case 'failed':
      return list.map((one) =>
        one.clientId === action.clientId ? { ...one, status: 'failed', error: action.error } : one,
      );
    case 'arrived':
    case 'dropped':
      return others.length < list.length ? others : list;
  }
}

/** Those of a room that are not among its messages: a message may come before the answer to it, or after. */
export function waitingIn(list: readonly Waiting[], roomId: string, messages: readonly ChatMessage[]): Waiting[] {
  const there = new Set(messages.map(({ clientId }) => clientId));
  return list.filter((one) => one.roomId === roomId && !there.has(one.clientId));
}
