const LOCALE = 'en-GB';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

export function formatCount(n: number): string {
  return (Math.abs(n) < 10 ? one : whole).format(n);
}

export function formatBytes(n: number): string {
  const unit = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, n)) / 3)));
  return `${formatCount(n / 1000 ** unit)} ${UNITS[unit] ?? ''}`;
}

/** From microseconds. */
export function formatLatency(us: number): string {
  if (us < 1000) return `${whole.format(us)} µs`;
  return us < 1e6 ? `${one.format(us / 1000)} ms` : `${one.format(us / 1e6)} s`;
}

export function formatUptime(seconds: number): string {
  if (seconds < 120) return `${whole.format(seconds)} s`;
  if (seconds < 7200) return `${whole.format(seconds / 60)} min`;
  return seconds < 172_800 ? `${whole.format(seconds / 3600)} h` : `${whole.format(seconds / 86_400)} d`;
}
