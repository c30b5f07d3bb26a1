import { type ReactNode } from 'react';

import { strings } from '../strings';
import { formatBytes, formatCount, formatLatency, formatUptime } from './format';
import { type History, percentile, rateOf, secondsBetween } from './series';
import { type Edge, type OpsStats, type Service } from './stats';

interface TableProps {
  history: History;
  stats: OpsStats;
}

type State = Edge['state'];

/** A column: its heading, and what stands in it; undefined if that is not known. */
type Column<Row> = readonly [heading: string, cell: (row: Row) => ReactNode];

const STATE_TAG: Readonly<Record<State, string>> = { up: 'good', draining: 'warn', silent: 'bad' };
const { columns } = strings.ops;

function Table<Row extends { state: State }>(props: {
  heading: string;
  note?: string | undefined;
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  columns: readonly Column<Row>[];
}): ReactNode {
  const { heading, note, rows, keyOf } = props;
  return (
    <section className="card ops-card">
      <h2>{heading}</h2>
      <div className="scroller" tabIndex={0} role="region" aria-label={heading}>
        <table className="ops-table">
          <thead>
            <tr>
              {props.columns.map(([title]) => (
                <th key={title} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={keyOf(row)} data-state={row.state}>
                {props.columns.map(([title, cell], i) =>
                  i === 0 ? (
                    <th key={title} scope="row">
                      {cell(row)}
                    </th>
                  ) : (
                    <td key={title}>{cell(row) ?? '–'}</td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {note !== undefined && <p className="soft small">{note}</p>}
    </section>
  );
}

function stateTag({ state }: { state: State }): ReactNode {
  return <span className={`tag ${STATE_TAG[state]}`}>{strings.ops.states[state]}</span>;
}

/** Of whoever does not answer next to nothing is known. */
function known<Row extends { state: State }>(cell: (row: Row) => ReactNode): (row: Row) => ReactNode {
  return (row) => (row.state === 'silent' ? undefined : cell(row));
}

export function EdgeTable({ history, stats }: TableProps): ReactNode {
  const rate = (counter: 'eventsIn' | 'eventsOut') => (edge: Edge) => {
    const value = rateOf(history, edge, counter);
    return value === undefined ? undefined : formatCount(value);
  };
  const edgeColumns: readonly Column<Edge>[] = [
    [
      columns.edge,
      ({ name, address }) => (
        <>
          {name} <span className="soft">{address}</span>
        </>
      ),
    ],
    [columns.state, stateTag],
    [columns.sockets, ({ sockets }) => formatCount(sockets)],
    [columns.polling, known(({ polling }) => formatCount(polling))],
    [columns.out, rate('eventsOut')],
    [columns.in, rate('eventsIn')],
    [
      columns.latency,
      known(({ latency }) => {
        const us = percentile(latency.buckets, 0.99);
        return us === undefined ? undefined : `≤ ${formatLatency(us)}`;
      }),
    ],
    [columns.lag, known(({ loopLagUs }) => formatLatency(loopLagUs))],
    [columns.queue, known(({ queueBytes }) => formatBytes(queueBytes))],
    [columns.memory, known(({ residentBytes }) => formatBytes(residentBytes))],
    [columns.uptime, known(({ uptimeS }) => formatUptime(uptimeS))],
  ];
  return (
    <Table
      heading={strings.ops.edges}
      note={stats.edgesLeftOut > 0 ? strings.ops.leftOut(stats.edgesLeftOut) : undefined}
      rows={stats.edges}
      keyOf={({ id }) => id}
      columns={edgeColumns}
    />
  );
}

export function ServiceTable({ history, stats }: TableProps): ReactNode {
  const { before } = history;
  const requestRate = ({ name, instance, requests, state }: Service): string | undefined => {
    const old = before?.services.find((service) => service.name === name && service.instance === instance);
    if (!before || !old || state === 'silent' || old.state === 'silent') return undefined;
    return formatCount((requests - old.requests) / secondsBetween(stats, before));
  };
  if (stats.services.length === 0) return null;
  return (
    <Table
      heading={strings.ops.services}
      rows={stats.services}
      keyOf={({ name }) => name}
      columns={[
        [columns.service, ({ name }) => name],
        [columns.state, stateTag],
        [columns.requests, requestRate],
        [columns.failures, known(({ failures }) => formatCount(failures))],
        [columns.memory, known(({ residentBytes }) => formatBytes(residentBytes))],
        [columns.uptime, known(({ uptimeS }) => formatUptime(uptimeS))],
      ]}
    />
  );
}
