import { type ReactNode } from 'react';

import { strings } from '../strings';
import { formatCount } from './format';
import { type History, tally } from './series';

const KINDS = [
  ['closes', strings.ops.closes, strings.ops.reason],
  ['refusals', strings.ops.refusals, strings.ops.reason],
  ['recoveries', strings.ops.recoveries, strings.ops.outcome],
] as const;

export function Tallies({ history }: { history: History }): ReactNode {
  return (
    <div className="tallies">
      {KINDS.map(([kind, heading, by]) => {
        const rows = tally(history, kind);
        return (
          <section key={kind} className="card ops-card">
            <h2>{heading}</h2>
            {rows.length === 0 ? (
              <p className="soft small">{strings.ops.none}</p>
            ) : (
              <table className="ops-table">
                <thead>
                  <tr>
                    <th scope="col">{by}</th>
                    <th scope="col">{strings.ops.window}</th>
                    <th scope="col">{strings.ops.total}</th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map(({ name, window, total }) => (
                    <tr key={name}>
                      <th scope="row">{name}</th>
                      <td>{formatCount(window)}</td>
                      <td>{formatCount(total)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </section>
        );
      })}
    </div>
  );
}
