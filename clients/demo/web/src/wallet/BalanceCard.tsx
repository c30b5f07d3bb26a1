import { useRealtime, useStore } from '@walletwire/react';
import { type ReactNode } from 'react';

import { type Amount, formatMoney, moneyParts } from '../money';
import { strings } from '../strings';
import { formatSeconds } from '../time';

export function BalanceCard(): ReactNode {
  const wallets = [...useStore(useRealtime().balances).values()];
  const [first, ...others] = wallets;
  if (!first)
    return (
      <section className="balance" aria-label={strings.balance.heading} aria-busy="true">
        <p className="balance-label">{strings.balance.heading}</p>
        <p className="balance-amount pending" aria-hidden="true">
          —
        </p>
        <p className="balance-foot">{strings.loading}</p>
      </section>
    );
  const { available_balance: available, pending_balance: pending, currency, timestamp, version } = first;
  return (
    <section className="balance" aria-label={strings.balance.heading}>
      <p className="balance-label">{strings.balance.available}</p>
      <Big key={version} amount={available} currency={currency} />
      <dl className="balance-foot">
        <div>
          <dt>{strings.balance.pending}</dt>
          <dd className="number">{formatMoney(pending ?? 0, currency)}</dd>
        </div>
        <div>
          <dt>{strings.balance.updated}</dt>
          <dd>
            <time dateTime={timestamp}>{formatSeconds(timestamp)}</time>
          </dd>
        </div>
        {others.map((wallet) => (
          <div key={wallet.walletId}>
            <dt>{wallet.walletId}</dt>
            <dd className="number">{formatMoney(wallet.available_balance, wallet.currency)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Big({ amount, currency }: { amount: Amount; currency: string }): ReactNode {
  const { symbol, whole, fraction } = moneyParts(amount, currency);
  return (
    <p className="balance-amount number appears" data-testid="balance">
      <span className="symbol">{symbol}</span>
      {whole}
      <span className="fraction">{fraction}</span>
    </p>
  );
}
