// From absolute pictures of the fleet to what happens a second, and to the last two minutes of it.
import { type Edge, type Latency, type OpsStats } from './stats';

export const WINDOW_S = 120;

/** What there was to show at one moment. */
export interface Point {
  at: number; // milliseconds since 1970
  edges: number;
  edgesUp: number;
  sockets: number;
  users: number;
  /** A second. */
  eventsOut: number;
  eventsIn: number;
  bytesOut: number;
  /** Microseconds, of the events since the point before; undefined if there were none. */
  p50: number | undefined;
  p95: number | undefined;
  p99: number | undefined;
  /** Messages in all streams; undefined if nobody could tell. */
  waiting: number | undefined;
  streams: OpsStats['streams'];
}

export interface History {
  points: readonly Point[];
  /** Of the last two minutes: the differences between them are what happened. */
  pictures: readonly OpsStats[];
  last: OpsStats | undefined;
  before: OpsStats | undefined;
}

export const EMPTY: History = { points: [], pictures: [], last: undefined, before: undefined };

const FIRST_BOUND_US = 64;

/** A percentile (0 to 1) in microseconds: the upper bound of its bucket; undefined if nothing was counted. */
export function percentile(buckets: readonly number[], at: number): number | undefined {
  const total = buckets.reduce((all, n) => all + n, 0);
  if (total === 0) return undefined;
  let rest = Math.max(1, Math.ceil(total * at));
  const found = buckets.findIndex((n) => (rest -= n) <= 0);
  // The last one has no bound of its own: it is above the one before.
  return FIRST_BOUND_US * 2 ** Math.min(found, buckets.length - 2);
}

function latencyBetween(now: Latency, before: Latency | undefined): number[] {
  return now.buckets.map((n, i) => n - (before?.buckets[i] ?? 0));
}

/** Edges that answered both times; one that has just started counts from nothing. */
function pairs(now: OpsStats, before: OpsStats): { edge: Edge; old: Edge | undefined }[] {
  const known = new Map(before.edges.map((edge) => [edge.id, edge]));
  return now.edges
    .map((edge) => ({ edge, old: known.get(edge.id) }))
    .filter(({ edge, old }) => edge.state !== 'silent' && old?.state !== 'silent');
}

type Counter = 'eventsIn' | 'eventsOut' | 'bytesOut';

/** Seconds between two pictures, never nothing. */
export function secondsBetween(now: OpsStats, before: OpsStats): number {
  return Math.max(0.001, (Date.parse(now.at) - Date.parse(before.at)) / 1000);
}

/** What an edge did a second, of late; undefined if that is not known. */
export function rateOf({ last, before }: History, edge: Edge, counter: Counter): number | undefined {
  const old = before?.edges.find(({ id }) => id === edge.id);
  if (!last || !before || !old || old.state === 'silent' || edge.state === 'silent') return undefined;
  return (edge[counter] - old[counter]) / secondsBetween(last, before);
}

function sum<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((total, item) => total + of(item), 0);
}

function pointOf(now: OpsStats, before: OpsStats | undefined): Point {
  const changed = before ? pairs(now, before) : [];
  const seconds = before ? secondsBetween(now, before) : 1;
  const rate = (counter: Counter): number =>
    sum(changed, ({ edge, old }) => edge[counter] - (old?.[counter] ?? 0)) / seconds;
  const latencies = changed.map(({ edge, old }) => latencyBetween(edge.latency, old?.latency));
  const buckets = latencies.reduce<number[]>((all, one) => one.map((n, i) => n + (all[i] ?? 0)), []);
  return {
    at: Date.parse(now.at),
    edges: now.edges.length,
    edgesUp: now.edges.filter(({ state }) => state === 'up').length,
    sockets: sum(now.edges, ({ sockets }) => sockets),
    users: sum(now.edges, ({ users }) => users),
    eventsOut: rate('eventsOut'),
    eventsIn: rate('eventsIn'),
    bytesOut: rate('bytesOut'),
    p50: percentile(buckets, 0.5),
    p95: percentile(buckets, 0.95),
    p99: percentile(buckets, 0.99),
    waiting: now.streams.length === 0 ? undefined : sum(now.streams, ({ waiting }) => waiting),
    streams: now.streams,
  };
}

/** The history with one more picture, without what is older than two minutes. One that is not newer changes nothing. */
export function withPicture(history: History, now: OpsStats): History {
  const { last } = history;
  if (last && Date.parse(now.at) <= Date.parse(last.at)) return history;
  const oldest = Date.parse(now.at) - WINDOW_S * 1000;
  const pictures = [...history.pictures.filter(({ at }) => Date.parse(at) >= oldest), now];
  const points = [...history.points.filter(({ at }) => at >= oldest), pointOf(now, last)];
  return { points, pictures, last: now, before: last };
}

export interface Tally {
  name: string;
  window: number;
  total: number;
}

/** Counts by name, over all edges: in the window, and since the edges of now started. Most in the window first. */
export function tally({ pictures, last }: History, of: 'closes' | 'refusals' | 'recoveries'): Tally[] {
  const all = new Map<string, Tally>();
  const add = (name: string, window: number, total: number): void => {
    const known = all.get(name) ?? { name, window: 0, total: 0 };
    all.set(name, { name, window: known.window + window, total: known.total + total });
  };
  for (const edge of last?.edges ?? []) for (const [name, n] of Object.entries(edge[of])) add(name, 0, n);
  pictures.slice(1).forEach((now, i) => {
    const before = pictures[i];
    if (!before) return;
    for (const { edge, old } of pairs(now, before))
      for (const [name, n] of Object.entries(edge[of])) add(name, n - (old?.[of][name] ?? 0), 0);
  });
  return [...all.values()].sort((a, b) => b.window - a.window || b.total - a.total || a.name.localeCompare(b.name));
}
