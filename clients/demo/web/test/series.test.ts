import { expect, test } from 'vitest';

import { formatBytes, formatCount, formatLatency, formatUptime } from '../src/ops/format';
import { EMPTY, type History, percentile, rateOf, tally, withPicture } from '../src/ops/series';
import { pathOf } from '../src/ops/Sparkline';
import { type Edge, type OpsStats } from '../src/ops/stats';

const NONE = new Array<number>(25).fill(0);

const edge = (id: string, changes: Partial<Edge> = {}): Edge => ({
  id,
  name: id,
  address: '',
  state: 'up',
  uptimeS: 1,
  residentBytes: 1,
  sockets: 3,
  polling: 0,
  users: 2,
  queueBytes: 0,
  loopLagUs: 0,
  eventsIn: 0,
  eventsOut: 0,
  bytesOut: 0,
  closes: {},
  refusals: {},
  recoveries: {},
  latency: { count: 0, sumUs: 0, buckets: NONE },
  ...changes,
});

const picture = (second: number, ...edges: Edge[]): OpsStats => ({
  at: new Date(Date.UTC(2026, 2, 1) + second * 1000).toISOString(),
  edges,
  edgesLeftOut: 0,
  services: [],
  streams: [{ name: 'WW_EVENTS', waiting: 7 }],
});

const historyOf = (...pictures: OpsStats[]): History => pictures.reduce(withPicture, EMPTY);

test('rates are what was added, over the time it took', () => {
  const now = edge('a', { eventsOut: 160 });
  const history = historyOf(picture(0, edge('a', { eventsOut: 100 })), picture(2, now));
  expect(history.points.at(-1)).toMatchObject({ eventsOut: 30, sockets: 3, edges: 1, waiting: 7 });
  expect(rateOf(history, now, 'eventsOut')).toBe(30);
});

test('an edge that started anew has another id, and counts from nothing', () => {
  const history = historyOf(picture(0, edge('a', { eventsOut: 1000 })), picture(1, edge('a2', { eventsOut: 5 })));
  expect(history.points.at(-1)?.eventsOut).toBe(5);
});

test('an edge that was silent adds nothing when it speaks again', () => {
  const history = historyOf(
    picture(0, edge('a', { eventsOut: 1000 })),
    picture(1, edge('a', { state: 'silent' })),
    picture(2, edge('a', { eventsOut: 1100 })),
  );
  expect(history.points.map(({ eventsOut }) => eventsOut)).toEqual([0, 0, 0]);
  expect(history.points.map(({ edgesUp }) => edgesUp)).toEqual([1, 0, 1]);
});

test('percentiles are of the time between two pictures', () => {
  const before = NONE.map((_, i) => (i === 10 ? 1000 : 0));
  const now = before.map((n, i) => n + (i === 1 ? 98 : i === 3 ? 2 : 0));
  const latency = (buckets: number[]): Partial<Edge> => ({ latency: { count: 1, sumUs: 1, buckets } });
  const history = historyOf(picture(0, edge('a', latency(before))), picture(1, edge('a', latency(now))));
  expect(history.points.at(-1)).toMatchObject({ p50: 128, p95: 128, p99: 512 });
});

test('of nothing there is no percentile, and what has no bound is above the last one', () => {
  expect(percentile(NONE, 0.5)).toBeUndefined();
  expect(percentile([0, 0, 5], 0.5)).toBe(128);
});

test('what is older than two minutes goes, what came twice changes nothing', () => {
  const history = historyOf(...Array.from({ length: 200 }, (_, second) => picture(second, edge('a'))));
  expect(history.points).toHaveLength(121);
  expect(withPicture(history, picture(199, edge('a')))).toBe(history);
});

test('reasons are counted in the window and in all', () => {
  const history = historyOf(
    picture(0, edge('a', { closes: { client: 10 } })),
    picture(1, edge('a', { closes: { client: 10, slow_consumer: 2 } }), edge('b', { closes: { client: 1 } })),
  );
  expect(tally(history, 'closes')).toEqual([
    { name: 'slow_consumer', window: 2, total: 2 },
    { name: 'client', window: 1, total: 11 },
  ]);
});

test('a curve ends on the right and breaks where nothing is known', () => {
  const points = [0, 60, 120].map((second, i) => ({ at: second * 1000, value: i === 1 ? undefined : i }));
  expect(pathOf(points)).toBe('M0.0 30.0h0M120.0 2.0h0');
  expect(pathOf([])).toBe('');
});

test.each([
  [formatBytes(999), '999 B'],
  [formatBytes(12_345_678), '12 MB'],
  [formatCount(0.25), '0.3'],
  [formatCount(12_345), '12,345'],
  [formatLatency(512), '512 µs'],
  [formatLatency(1500), '1.5 ms'],
  [formatLatency(2_000_000), '2 s'],
  [formatUptime(119), '119 s'],
  [formatUptime(4711), '79 min'],
  [formatUptime(200_000), '2 d'],
])('%s is %s', (shown, expected) => expect(shown).toBe(expected));
