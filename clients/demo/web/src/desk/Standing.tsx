import { type ReactNode } from 'react';

import { type State, type TransferState } from '../bank';
import { formatMoney } from '../money';
import { strings } from '../strings';
import { Avatar } from '../ui/Avatar';

/** What everybody has, and what is on its way. */
export function Standing({ state: { users, transfers } }: { state: State }): ReactNode {
  const rows = users.flatMap((user) => user.wallets.map((wallet) => ({ user, wallet })));
  const underWay = transfers.filter(({ state }) => state === 'processing');
  return (
    <section className="card desk-card" aria-labelledby="balances-heading">
      <h2 id="balances-heading">{strings.desk.balances}</h2>
      <table className="balances">
        <thead className="soft small">
          <tr>
            <th scope="col">{strings.desk.user}</th>
            <th scope="col" className="right">
              {strings.desk.pending}
            </th>
            <th scope="col" className="right">
              {strings.desk.available}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ user, wallet }) => (
            <tr key={wallet.walletId} data-user={user.id}>
              <th scope="row">
                <span className="balances-name">
                  <Avatar name={user.name} colour={user.colour} size="tiny" /> {user.name}
                </span>
              </th>
              <td className="right soft">{formatMoney(wallet.pending, wallet.currency)}</td>
              <td className="right strong">{formatMoney(wallet.available, wallet.currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {underWay.length > 0 && (
        <ul className="under-way" aria-label={strings.desk.transfers}>
          {underWay.map((transfer) => (
            <UnderWay key={transfer.transferId} transfer={transfer} />
          ))}
        </ul>
      )}
    </section>
  );
}

function UnderWay({ transfer: { from, to, amount, currency, progress } }: { transfer: TransferState }): ReactNode {
  const label = strings.desk.transfer(from, to, formatMoney(amount, currency));
  return (
    <li className="small">
      <span>{label}</span>
      <progress className="progress" max={100} value={progress} aria-label={label} />
    </li>
  );
}
