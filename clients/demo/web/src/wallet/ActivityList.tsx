import { type ReactNode } from 'react';

import { groupBy } from '../group';
import { formatChange, formatMoney } from '../money';
import { strings } from '../strings';
import { formatClock, formatDay, useNow } from '../time';
import { Avatar } from '../ui/Avatar';
import { Icon, type IconName } from '../ui/Icon';
import { type Movement } from './activity';
import { useDirectory } from './directory';
import { useActivity } from './useActivity';

const MINUTE_MS = 60_000;

export function ActivityList(): ReactNode {
  const { movements, status } = useActivity();
  const now = useNow(MINUTE_MS);
  const days = groupBy(movements, ({ at }) => formatDay(at, now));
  return (
    <section className="card activity" aria-labelledby="activity-heading" aria-busy={status === 'loading'}>
      <header className="card-head">
        <h2 id="activity-heading">{strings.activity.heading}</h2>
      </header>
      {movements.length === 0 && <p className="empty">{strings.activity[status]}</p>}
      {days.map(([heading, list]) => (
        <section key={heading} aria-label={heading}>
          <h3 className="day-heading soft">{heading}</h3>
          <ul>
            {list.map((movement) => (
              <Row key={movement.id} movement={movement} />
            ))}
          </ul>
        </section>
      ))}
    </section>
  );
}

function Row({ movement }: { movement: Movement }): ReactNode {
  const { title, detail, amount, currency, direction, status, at } = movement;
  return (
    <li className="movement" data-kind={movement.kind} data-status={status}>
      <Sign movement={movement} />
      <span className="movement-text">
        <strong className="one-line">{title}</strong>
        <span className="soft small one-line">
          <time dateTime={at}>{formatClock(at)}</time>
          {detail !== '' && ` · ${detail}`}
        </span>
      </span>
      <span className="movement-side">
        {amount !== undefined && (
          <span className={`number movement-amount ${status === 'completed' ? (direction ?? '') : status}`}>
            {direction ? formatChange(amount, currency, direction) : formatMoney(amount, currency)}
          </span>
        )}
        {status !== 'completed' && (
          <span className={`tag ${status === 'failed' ? 'bad' : 'warn'}`}>{strings.status[status]}</span>
        )}
      </span>
    </li>
  );
}

const ICONS: Readonly<Record<Movement['kind'], IconName>> = {
  transaction: 'transfer',
  transfer: 'transfer',
  payment: 'card',
  deposit: 'arrowIn',
  withdrawal: 'arrowOut',
  card: 'card',
};

/** The face of whom it was with, else what it was. */
function Sign({ movement: { kind, title } }: { movement: Movement }): ReactNode {
  const person = useDirectory().users.find(({ name }) => kind === 'transaction' && name === title);
  if (person) return <Avatar name={person.name} colour={person.colour} />;
  return (
    <span className="sign" aria-hidden="true">
      <Icon name={ICONS[kind]} />
    </span>
  );
}
