import { type ConnectionState } from '@walletwire/client';
import { useConnection, useRealtime } from '@walletwire/react';
import { type ReactNode } from 'react';

import { strings } from '../strings';
import { useNow } from '../time';

const TICK_MS = 250;

/** Where the connection stands, and when it is tried again. */
export function Connection(): ReactNode {
  const client = useRealtime();
  const state = useConnection();
  const isWaiting = state.status === 'reconnecting';
  return (
    <span className="connection" data-status={state.status}>
      <span className="connection-dot" aria-hidden="true" />
      <span className="unseen" role="status">
        {strings.connection[state.status]}
      </span>
      <span className="connection-text" aria-hidden="true">
        {isWaiting ? <Countdown state={state} /> : strings.connection[state.status]}
      </span>
      {isWaiting && (
        <button type="button" className="link-button" onClick={() => client.retry()}>
          {strings.connection.retry}
        </button>
      )}
    </span>
  );
}

function Countdown({ state }: { state: Extract<ConnectionState, { status: 'reconnecting' }> }): ReactNode {
  const now = useNow(TICK_MS);
  return strings.connection.retryIn(Math.max(0, Math.ceil((state.nextAttemptAt - now) / 1000)));
}

/** What no connection means for somebody who goes on. */
export function OfflineNotice(): ReactNode {
  const { status } = useConnection();
  const isAway = status === 'reconnecting' || status === 'offline';
  return isAway ? <p className="notice warn strip">{strings.connection.meanwhile}</p> : null;
}
