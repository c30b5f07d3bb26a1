import { usePresence } from '@walletwire/react';
import { type ReactNode, useState } from 'react';

import { strings } from '../../strings';
import { formatWhen, useNow } from '../../time';
import { Avatar } from '../../ui/Avatar';
import { useDirectory } from '../directory';
import { useChat } from './ChatProvider';
import { Conversation } from './Conversation';

const MINUTE_MS = 60_000;

export function ChatPanel(): ReactNode {
  const [friend, setFriend] = useState<string>();
  if (friend === undefined) return <Friends onOpen={setFriend} />;
  return <Conversation key={friend} friend={friend} onBack={() => setFriend(undefined)} />;
}

function Friends({ onOpen }: { onOpen: (friend: string) => void }): ReactNode {
  const { friends, conversations } = useChat();
  const directory = useDirectory();
  const people = usePresence();
  const now = useNow(MINUTE_MS);

  if (friends === undefined) return <p className="empty">{strings.loading}</p>;
  if (friends.length === 0) return <p className="empty">{strings.chat.noFriends}</p>;
  return (
    <ul className="friends" aria-label={strings.chat.friends}>
      {friends.map((id) => {
        const { name, colour } = directory.find(id);
        const status = people.get(id)?.status || 'offline';
        const conversation = conversations.get(id);
        const last = conversation?.last;
        return (
          <li key={id}>
            <button type="button" className="friend" onClick={() => onOpen(id)}>
              <Avatar name={name} colour={colour} presence={status} />
              <span className="friend-text">
                <strong>{name}</strong>
                <span className="unseen">, {strings.chat.presence[status]}</span>
                <span className="soft small one-line">
                  {last ? (last.deleted ? strings.chat.deleted : last.text) : strings.chat.presence[status]}
                </span>
              </span>
              <span className="friend-side">
                {last && <time className="soft">{formatWhen(last.timestamp, now)}</time>}
                {conversation !== undefined && conversation.unread > 0 && (
                  <span className="badge">
                    {conversation.unread} <span className="unseen">{strings.unread}</span>
                  </span>
                )}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
