import { useEffect, useState } from 'react';

import { strings } from './strings';

const LOCALE = 'en-GB';
const clock = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' });
const seconds = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export function formatClock(at: string): string {
  return clock.format(new Date(at));
}

export function formatSeconds(at: string): string {
  return seconds.format(new Date(at));
}

/** As short as it can be said: a clock today, else a day. */
export function formatWhen(at: string, now: number): string {
  const date = new Date(at);
  return now - date.getTime() < 60_000
    ? strings.time.now
    : date.toDateString() === new Date(now).toDateString()
      ? clock.format(date)
      : day.format(date);
}

/** 'Today', 'Yesterday', '3 March'. */
export function formatDay(at: string, now: number): string {
  const date = new Date(at);
  if (date.toDateString() === new Date(now).toDateString()) return strings.time.today;
  if (date.toDateString() === new Date(now - 86_400_000).toDateString()) return strings.time.yesterday;
  return day.format(date);
}

/** The time, which moves on as often as that; it stands still without a number. */
export function useNow(everyMs: number | undefined): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const tick = (): void => setNow(Date.now());
    const first = setTimeout(tick, 0); // it may have stood still for long
    const timer = setInterval(tick, everyMs);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [everyMs]);
  return now;
}
