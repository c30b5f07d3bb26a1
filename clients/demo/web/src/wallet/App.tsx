import { type ConnectionState, WalletwireClient } from '@walletwire/client';
import { RealtimeProvider } from '@walletwire/react';
import { type ReactNode, useCallback, useEffect, useState } from 'react';

import { askBank, messageOf } from '../bank';
import { strings } from '../strings';
import { ChatProvider } from './chat/ChatProvider';
import { DirectoryProvider, type Person } from './directory';
import { loadSession, saveSession, type Session, tokensOf } from './session';
import { SignIn } from './SignIn';
import { Wallet } from './Wallet';

/** Who has no wallet. */
const OPERATOR = 'ops';

function usePeople(): { users: readonly Person[] | undefined; error: string | undefined; retry: () => void } {
  const [users, setUsers] = useState<readonly Person[]>();
  const [error, setError] = useState<string>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    askBank('GET /users', undefined, { signal: abort.signal }).then(
      (answer) => {
        setUsers(answer.users.filter(({ id }) => id !== OPERATOR));
        setError(undefined);
      },
      (reason: unknown) => {
        if (!abort.signal.aborted) setError(messageOf(reason));
      },
    );
    return () => abort.abort();
  }, [attempt]);
  return { users, error, retry: useCallback(() => setAttempt((n) => n + 1), []) };
}

/** A tab's session with its client, which is connected before anything asks it something. */
interface Account {
  session: Session;
  client: WalletwireClient;
}

function open(session: Session): Account {
  const client = new WalletwireClient({ tabs: true, storage: sessionStorage });
  client.connect(tokensOf(session));
  return { session, client };
}

const restored = loadSession();
const atFirst = restored && open(restored);

export function App(): ReactNode {
  const [account, setAccount] = useState(atFirst);
  const [notice, setNotice] = useState<string>();
  const { users, error, retry } = usePeople();

  const client = account?.client;
  const signOut = useCallback(
    (why?: string) => {
      saveSession(undefined);
      client?.disconnect();
      setNotice(why);
      setAccount(undefined);
    },
    [client],
  );
  useEffect(() => {
    if (!client) return undefined;
    const look = (): void => {
      const reason = endOf(client.connection.get());
      if (reason !== undefined) signOut(reason);
    };
    look();
    return client.connection.subscribe(look);
  }, [client, signOut]);

  if (!account || !users)
    return (
      <SignIn
        users={account ? [] : users}
        notice={notice}
        error={error}
        onRetry={retry}
        onSignedIn={(session) => {
          setNotice(undefined);
          setAccount(open(session));
        }}
      />
    );
  return (
    <DirectoryProvider me={account.session.userId} users={users}>
      <RealtimeProvider client={account.client}>
        <ChatProvider>
          <Wallet onSignOut={() => signOut()} />
        </ChatProvider>
      </RealtimeProvider>
    </DirectoryProvider>
  );
}

/** Why a session is over; undefined as long as it is not. */
function endOf(state: ConnectionState): string | undefined {
  if (state.status !== 'failed') return undefined;
  const ended = state.reason === 'token_missing' || state.reason === 'token_revoked';
  return ended ? strings.signIn.ended : strings.signIn.refused(state.reason);
}
