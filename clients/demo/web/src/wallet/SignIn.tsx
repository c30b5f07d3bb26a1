import { type ReactNode, useEffect, useState } from 'react';

import { messageOf } from '../bank';
import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';
import { PageHead } from '../ui/PageHead';
import { type Person } from './directory';
import { type Session, signIn } from './session';

export interface SignInProps {
  /** Undefined as long as the bank has not said who there is. */
  users: readonly Person[] | undefined;
  /** Why it is asked. */
  notice: string | undefined;
  error: string | undefined;
  onRetry: () => void;
  onSignedIn: (session: Session) => void;
}

export function SignIn({ users, notice, error, onRetry, onSignedIn }: SignInProps): ReactNode {
  const [busy, setBusy] = useState<string>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    document.title = strings.wallet.title;
  }, []);

  const choose = async (userId: string): Promise<void> => {
    setBusy(userId);
    setFailure(undefined);
    try {
      onSignedIn(await signIn(userId));
    } catch (reason) {
      setFailure(messageOf(reason));
      setBusy(undefined);
    }
  };
  const wrong = failure ?? error;
  return (
    <div className="sign-in">
      <PageHead tag={strings.wallet.tag} />
      <main>
        <h1>{strings.signIn.heading}</h1>
        <p className="soft">{strings.signIn.intro}</p>
        {notice !== undefined && (
          <p className="notice warn" role="alert">
            {notice}
          </p>
        )}
        {wrong !== undefined && (
          <p className="notice bad" role="alert">
            {wrong}{' '}
            <button type="button" className="link-button" onClick={onRetry}>
              {strings.retry}
            </button>
          </p>
        )}
        <ul className="people-cards" aria-busy={users === undefined}>
          {users?.map((user) => (
            <li key={user.id}>
              <button
                type="button"
                className="card person-card"
                disabled={busy !== undefined}
                onClick={() => void choose(user.id)}
              >
                <Avatar name={user.name} colour={user.colour} size="large" />
                <span>
                  <strong>{user.name}</strong>
                  <span className="soft small">{busy === user.id ? strings.signIn.busy : user.role}</span>
                </span>
              </button>
            </li>
          ))}
        </ul>
        <p className="soft small">
          {strings.signIn.also} <a href="/bank">{strings.desk.link}</a> · <a href="/ops">{strings.ops.link}</a>
        </p>
      </main>
    </div>
  );
}
