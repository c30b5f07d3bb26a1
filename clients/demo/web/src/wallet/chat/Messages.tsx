import { type ChatMessage, type RoomView } from '@walletwire/client';
import { useRealtime } from '@walletwire/react';
import { type ReactNode, useLayoutEffect, useRef, useState } from 'react';

import { messageOf } from '../../bank';
import { groupBy } from '../../group';
import { strings } from '../../strings';
import { formatClock, formatDay, useNow } from '../../time';
import { useDirectory } from '../directory';
import { useChat } from './ChatProvider';
import { Message } from './Message';
import { waitingIn } from './waiting';

const MINUTE_MS = 60_000;
/** Nearer to the end than that, what comes is scrolled to. */
const NEAR_PX = 80;

export interface MessagesProps {
  roomId: string;
  friend: string;
  room: RoomView;
}

export function Messages({ roomId, friend, room }: MessagesProps): ReactNode {
  const { waiting, send, drop } = useChat();
  const { me } = useDirectory();
  const now = useNow(MINUTE_MS);
  const here = waitingIn(waiting, roomId, room.messages);
  const list = useStickToEnd(`${room.messages.at(-1)?.seq ?? 0} ${here.length}`);
  const readUpTo = friendHasRead(room, friend);
  const lastRead = room.messages.findLast(({ senderId, seq }) => senderId === me.id && seq <= readUpTo);
  const days = groupBy(room.messages, ({ timestamp }) => formatDay(timestamp, now));

  return (
    <div className="messages" ref={list} role="log" aria-label={strings.chat.log} tabIndex={0}>
      <Older roomId={roomId} room={room} />
      {room.messages.length === 0 && here.length === 0 && room.status === 'ready' && (
        <p className="empty">{strings.chat.nothing}</p>
      )}
      {days.map(([heading, messages]) => (
        <section key={heading} aria-label={heading}>
          <p className="day soft" aria-hidden="true">
            {heading}
          </p>
          <ul>
            {messages.map((message) => (
              <Message
                key={message.seq}
                message={message}
                own={message.senderId === me.id}
                note={message === lastRead ? strings.chat.read : undefined}
              />
            ))}
          </ul>
        </section>
      ))}
      <ul>
        {here.map(({ clientId, text, status, error }) => (
          <li key={clientId} className="message own waiting">
            <p className="bubble">{text}</p>
            <p className="message-note">
              {status === 'waiting' ? strings.chat.waiting : strings.chat.failed(error ?? '')}
              {status === 'failed' && (
                <>
                  <button type="button" className="link-button" onClick={() => send(roomId, text, clientId)}>
                    {strings.retry}
                  </button>
                  <button type="button" className="link-button" onClick={() => drop(clientId)}>
                    {strings.chat.drop}
                  </button>
                </>
              )}
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Whoever writes has read up to there, and nothing more is said of that. */
function friendHasRead({ messages, readMarkers }: RoomView, friend: string): number {
  const written = messages.findLast(({ senderId }) => senderId === friend)?.seq ?? 0;
  return Math.max(written, readMarkers.get(friend) ?? 0);
}

function Older({ roomId, room }: { roomId: string; room: RoomView }): ReactNode {
  const client = useRealtime();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  const [isAll, setAll] = useState(false);
  const oldest: ChatMessage | undefined = room.messages[0];
  if (!oldest || oldest.seq <= 1 || isAll) return null;

  const load = async (): Promise<void> => {
    setBusy(true);
    try {
      const page = await client.history(roomId, { before: oldest.seq });
      setAll(page.messages.length === 0 || page.messages[0]?.seq === page.oldestSeq);
      setError(undefined);
    } catch (reason) {
      setError(messageOf(reason));
    }
    setBusy(false);
  };
  return (
    <p className="older">
      <button type="button" className="link-button" disabled={busy} onClick={() => void load()}>
        {strings.chat.older(formatClock(oldest.timestamp))}
      </button>
      {error !== undefined && <span className="field-error">{error}</span>}
    </p>
  );
}

/** Keeps the end in sight when something is added to it, unless somebody reads further up. */
function useStickToEnd(end: string): React.RefObject<HTMLDivElement | null> {
  const list = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return undefined;
    const look = (): void => {
      isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
    };
    element.addEventListener('scroll', look, { passive: true });
    return () => element.removeEventListener('scroll', look);
  }, []);
  useLayoutEffect(() => {
    if (list.current && isAtEnd.current) list.current.scrollTop = list.current.scrollHeight;
  }, [end]);
  return list;
}
