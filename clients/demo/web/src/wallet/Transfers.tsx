import { useRealtime, useStore, useTransferUpdates } from '@walletwire/react';
import { type ReactNode, useEffect } from 'react';

import { formatMoney } from '../money';
import { strings } from '../strings';
import { Icon } from '../ui/Icon';

/** How long one stands there once it has ended. */
const ENDED_MS = 8000;

export interface TransfersProps {
  ids: readonly string[];
  onGone: (id: string) => void;
}

export function Transfers({ ids, onGone }: TransfersProps): ReactNode {
  if (ids.length === 0) return null;
  return (
    <section className="card transfers appears" aria-labelledby="transfers-heading">
      <header className="card-head">
        <h2 id="transfers-heading">{strings.transfers.heading}</h2>
      </header>
      <ul>
        {ids.map((id) => (
          <Transfer key={id} id={id} onGone={onGone} />
        ))}
      </ul>
    </section>
  );
}

function Transfer({ id, onGone }: { id: string; onGone: (id: string) => void }): ReactNode {
  const transfer = useStore(useRealtime().transfer(id));
  useTransferUpdates(nothing, id); // keeps it tracked while it is shown
  const isFinal = transfer?.final ?? false;
  useEffect(() => {
    if (!isFinal) return undefined;
    const timer = setTimeout(() => onGone(id), ENDED_MS);
    return () => clearTimeout(timer);
  }, [isFinal, id, onGone]);

  const state = transfer?.state || 'created';
  const progress = transfer?.progress ?? 0;
  const label = transfer?.message || strings.transfers.one;
  return (
    <li className="transfer" data-state={state}>
      <p className="transfer-head">
        <span className="transfer-label">
          <Icon name={state === 'completed' ? 'check' : state === 'failed' ? 'close' : 'clock'} />
          <strong className="one-line">{label}</strong>
        </span>
        {transfer?.amount !== undefined && (
          <span className="number">{formatMoney(transfer.amount, transfer.currency)}</span>
        )}
      </p>
      <progress className="progress" max={100} value={progress} aria-label={label} />
      <p className="transfer-foot soft small">
        <span role="status">{strings.transfers.states[state]}</span>
        <span className="number">{progress} %</span>
      </p>
    </li>
  );
}

function nothing(): void {
  // The store has it already.
}
