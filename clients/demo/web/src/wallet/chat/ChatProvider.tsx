import { useEvent, useRealtime } from '@walletwire/react';
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useReducer,
  useState,
} from 'react';

import { messageOf } from '../../bank';
import { randomKey } from '../../id';
import { useDirectory } from '../directory';
import { type Conversations, conversationsOf, unreadIn, withMessage, withRead } from './conversations';
import { reduceWaiting, type Waiting } from './waiting';

/** What of chat goes on whatever is shown. */
export interface ChatState {
  /** Ids; undefined as long as it is not known. */
  friends: readonly string[] | undefined;
  conversations: Conversations;
  unread: number;
  waiting: readonly Waiting[];
  send: (roomId: string, text: string, clientId?: string) => void;
  drop: (clientId: string) => void;
  /** The room with a friend, which is made if there is none. */
  roomWith: (friend: string) => Promise<string>;
  /** Shows at once that a room was read up to there, and says so. */
  read: (roomId: string, seq: number) => void;
}

const NONE: Conversations = new Map();
const Context = createContext<ChatState | undefined>(undefined);

export function useChat(): ChatState {
  const chat = useContext(Context);
  if (!chat) throw new Error('useChat: there is no ChatProvider above');
  return chat;
}

export function ChatProvider({ children }: { children: ReactNode }): ReactNode {
  const client = useRealtime();
  const { me } = useDirectory();
  const [friends, setFriends] = useState<readonly string[]>();
  const [conversations, setConversations] = useState(NONE);
  const [waiting, dispatch] = useReducer(reduceWaiting, []);

  const loadFriends = useCallback(() => {
    client.friends().then(({ users }) => setFriends(users.map(({ userId }) => userId)), ignore);
  }, [client]);
  const loadRooms = useCallback(() => {
    client.rooms().then(({ rooms }) => setConversations(conversationsOf(rooms, me.id)), ignore);
  }, [client, me.id]);
  // On each connection: what was asked for without one may have been given up.
  useEffect(() => {
    const look = (): void => {
      if (client.connection.get().status !== 'online') return;
      loadFriends();
      loadRooms();
    };
    look();
    return client.connection.subscribe(look);
  }, [client, loadFriends, loadRooms]);
  useEvent('friends', loadFriends);
  // A friendship that begins or ends is told as somebody coming or going.
  useEvent('presence', ({ userId, status }) => {
    if (status === 'offline' || !friends?.includes(userId)) loadFriends();
  });
  useEvent('chatRoom', loadRooms);
  useEvent('chatMessage', (message) => {
    dispatch({ type: 'arrived', clientId: message.clientId });
    if (withMessage(conversations, message, me.id)) setConversations((all) => withMessage(all, message, me.id) ?? all);
    else loadRooms();
  });
  useEvent('chatRead', ({ roomId, userId, seq }) => {
    if (userId === me.id) setConversations((all) => withRead(all, roomId, seq));
  });

  const send = useCallback(
    (roomId: string, text: string, clientId = randomKey()) => {
      dispatch({ type: 'written', clientId, roomId, text });
      client.sendRoomMessage(text, roomId, { clientId }).catch((error: unknown) => {
        dispatch({ type: 'failed', clientId, error: messageOf(error) });
      });
    },
    [client],
  );
  const drop = useCallback((clientId: string) => dispatch({ type: 'dropped', clientId }), []);
  const roomWith = useCallback(
    async (friend: string) =>
      conversations.get(friend)?.roomId ?? (await client.chat.create({ type: 'direct', members: [friend] })).id,
    [client, conversations],
  );
  const read = useCallback(
    (roomId: string, seq: number) => {
      setConversations((all) => withRead(all, roomId, seq));
      client.chat.read(roomId, seq).catch(ignore);
    },
    [client],
  );
  const state = useMemo(
    () => ({ friends, conversations, unread: unreadIn(conversations), waiting, send, drop, roomWith, read }),
    [friends, conversations, waiting, send, drop, roomWith, read],
  );
  return <Context.Provider value={state}>{children}</Context.Provider>;
}

function ignore(): void {
  // It is asked again by the next connection; where that stands is shown.
}
