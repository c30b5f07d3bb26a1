import { useChatRoom, useConnection, usePresence } from '@walletwire/react';
import { type ReactNode, useEffect, useRef, useState } from 'react';

import { messageOf } from '../../bank';
import { strings } from '../../strings';
import { Avatar } from '../../ui/Avatar';
import { Icon } from '../../ui/Icon';
import { useDirectory } from '../directory';
import { useChat } from './ChatProvider';
import { Composer } from './Composer';
import { Messages } from './Messages';

export function Conversation({ friend, onBack }: { friend: string; onBack: () => void }): ReactNode {
  const { name, colour } = useDirectory().find(friend);
  const status = usePresence().get(friend)?.status || 'offline';
  const room = useRoomWith(friend);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  return (
    <section className="conversation" aria-label={strings.chat.with(name)}>
      <header className="conversation-head">
        <button type="button" className="icon-button" aria-label={strings.chat.back} onClick={onBack}>
          <Icon name="back" />
        </button>
        <Avatar name={name} colour={colour} presence={status} />
        <div>
          <h3 ref={heading} tabIndex={-1}>
            {name}
          </h3>
          <p className="soft small" data-presence={status}>
            {strings.chat.presence[status]}
          </p>
        </div>
      </header>
      {room.error !== undefined && (
        <p className="notice bad" role="alert">
          {room.error}
        </p>
      )}
      {room.id === undefined ? (
        <p className="empty">{strings.loading}</p>
      ) : (
        <Room roomId={room.id} friend={friend} name={name} />
      )}
    </section>
  );
}

/** The id of the room with a friend, as soon as there is a connection to ask for it. */
function useRoomWith(friend: string): { id: string | undefined; error: string | undefined } {
  const { roomWith, conversations } = useChat();
  const { status } = useConnection();
  const [made, setMade] = useState<string>();
  const [error, setError] = useState<string>();
  const id = conversations.get(friend)?.roomId ?? made;
  useEffect(() => {
    if (id !== undefined || status !== 'online') return;
    roomWith(friend).then(
      (roomId) => {
        setMade(roomId);
        setError(undefined);
      },
      (reason: unknown) => setError(messageOf(reason)),
    );
  }, [id, status, friend, roomWith]);
  return { id, error };
}

function Room({ roomId, friend, name }: { roomId: string; friend: string; name: string }): ReactNode {
  const room = useChatRoom(roomId);
  const { read } = useChat();
  const { me } = useDirectory();
  const newest = room.messages.at(-1)?.seq ?? 0;
  const mine = room.readMarkers.get(me.id) ?? 0;
  const isVisible = useVisible();
  useEffect(() => {
    if (isVisible && newest > mine) read(roomId, newest);
  }, [isVisible, newest, mine, roomId, read]);

  return (
    <>
      <Messages roomId={roomId} friend={friend} room={room} />
      <p className="typing soft small" role="status">
        {room.typing.includes(friend) ? strings.chat.typing(name) : ''}
      </p>
      <Composer roomId={roomId} name={name} setTyping={room.setTyping} />
    </>
  );
}

/** Whether somebody can see the page. */
function useVisible(): boolean {
  const [isVisible, setVisible] = useState(() => !document.hidden);
  useEffect(() => {
    const look = (): void => setVisible(!document.hidden);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  return isVisible;
}
