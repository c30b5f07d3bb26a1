import { useEffect, useReducer, useState } from 'react';
import { io } from 'socket.io-client';

import { askBank, messageOf } from '../bank';
import { EMPTY, type History, withPicture } from './series';
import { type OpsStats } from './stats';

export type OpsConnection = { status: 'connecting' | 'live' | 'lost' } | { status: 'refused'; why: string };

const RETRY_MS = 5000;

/** Signs in as the operator and listens, as long as the page is there. */
export function useOps(): { history: History; connection: OpsConnection } {
  const [history, add] = useReducer(withPicture, EMPTY);
  const [connection, setConnection] = useState<OpsConnection>({ status: 'connecting' });
  useEffect(() => {
    let retry: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    // Refused, or not signed in: the library does not try again by itself then.
    const failed = (why: string): void => {
      if (isOver) return;
      setConnection({ status: 'refused', why });
      socket.disconnect();
      clearTimeout(retry);
      retry = setTimeout(() => socket.connect(), RETRY_MS);
    };
    const socket = io('/ops', {
      forceNew: true,
      auth: (send) => {
        askBank('POST /sign-in', { userId: 'ops' }).then(
          ({ token }) => send({ token }),
          (error: unknown) => failed(messageOf(error)),
        );
      },
    });
    socket.on('connect', () => setConnection({ status: 'live' }));
    socket.on('disconnect', (reason) => {
      if (reason !== 'io client disconnect') setConnection({ status: 'lost' });
    });
    socket.on('connect_error', (error) => {
      if (socket.active) setConnection({ status: 'lost' });
      else failed(error.message);
    });
    socket.on('ops:stats', (stats: OpsStats) => add(stats));
    return () => {
      isOver = true;
      clearTimeout(retry);
      socket.disconnect();
    };
  }, []);
  return { history, connection };
}
