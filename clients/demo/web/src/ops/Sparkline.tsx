import { type ReactNode } from 'react';

import { WINDOW_S } from './series';

const WIDTH = 120;
const HEIGHT = 32;
/** Above the highest and below the lowest value. */
const MARGIN = 2;

export interface SparklineProps {
  label: string;
  /** `at` in milliseconds; a value that is not known is a gap. */
  points: readonly { at: number; value: number | undefined }[];
}

/** The last two minutes, the newest on the right; from nothing to the highest value. */
export function Sparkline({ label, points }: SparklineProps): ReactNode {
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path className="sparkline-base" d={`M0 ${HEIGHT - MARGIN}H${WIDTH}`} />
      <path className="sparkline-line" d={pathOf(points)} />
    </svg>
  );
}

export function pathOf(points: SparklineProps['points']): string {
  const end = points.at(-1)?.at ?? 0;
  const max = Math.max(...points.map(({ value }) => value ?? 0)) || 1;
  let path = '';
  let isOpen = false;
  for (const { at, value } of points) {
    if (value !== undefined) {
      const x = WIDTH - ((end - at) / 1000 / WINDOW_S) * WIDTH;
      const y = HEIGHT - MARGIN - (value / max) * (HEIGHT - 2 * MARGIN);
      // A value by itself is a dot: a line of no length with round ends.
      path += isOpen ? `L${x.toFixed(1)} ${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}h0`;
    }
    isOpen = value !== undefined;
  }
  return path;
}
