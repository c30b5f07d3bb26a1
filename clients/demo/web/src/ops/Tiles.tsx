import { type ReactNode } from 'react';

import { strings } from '../strings';
import { formatBytes, formatCount, formatLatency } from './format';
import { type Point } from './series';
import { Sparkline } from './Sparkline';

interface TileSpec {
  name: string;
  value: (point: Point) => number | undefined;
  format: (value: number) => string;
  /** Below the number. */
  note: (point: Point) => string;
}

const perSecond = (): string => strings.ops.perSecond;

const TILES: readonly TileSpec[] = [
  {
    name: strings.ops.edges,
    value: ({ edges }) => edges,
    format: formatCount,
    note: ({ edges, edgesUp }) => strings.ops.edgesUp(edgesUp, edges),
  },
  {
    name: strings.ops.sockets,
    value: ({ sockets }) => sockets,
    format: formatCount,
    note: ({ users }) => strings.ops.users(users),
  },
  { name: strings.ops.eventsOut, value: ({ eventsOut }) => eventsOut, format: formatCount, note: perSecond },
  { name: strings.ops.eventsIn, value: ({ eventsIn }) => eventsIn, format: formatCount, note: perSecond },
  { name: strings.ops.bytesOut, value: ({ bytesOut }) => bytesOut, format: formatBytes, note: perSecond },
  {
    name: strings.ops.latency,
    value: ({ p99 }) => p99,
    format: (us) => `≤ ${formatLatency(us)}`,
    note: ({ p50, p95 }) =>
      p50 === undefined || p95 === undefined
        ? strings.ops.latencyNone
        : strings.ops.percentiles(formatLatency(p50), formatLatency(p95)),
  },
  {
    name: strings.ops.lag,
    value: ({ waiting }) => waiting,
    format: formatCount,
    note: ({ streams }) =>
      streams.map(({ name, waiting }) => `${name} ${formatCount(waiting)}`).join(' · ') || strings.ops.lagNone,
  },
];

export function Tiles({ points }: { points: readonly Point[] }): ReactNode {
  const last = points.at(-1);
  if (!last) return null;
  return (
    <ul className="tiles">
      {TILES.map(({ name, value, format, note }) => {
        const now = value(last);
        const shown = now === undefined ? '–' : format(now);
        const max = Math.max(...points.map((point) => value(point) ?? 0));
        return (
          <li key={name} className="card tile" data-tile={name}>
            <h2>{name}</h2>
            <p className="tile-value number">{shown}</p>
            <p className="soft small">{note(last)}</p>
            <Sparkline
              label={strings.ops.chart(name, shown, format(max))}
              points={points.map((point) => ({ at: point.at, value: value(point) }))}
            />
          </li>
        );
      })}
    </ul>
  );
}
