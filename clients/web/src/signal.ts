import { aborted, RealtimeError } from './errors.js';

export interface Cancel {
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}

/** Runs what settles by its callbacks, unless it is aborted or takes too long; `start` returns how to stop it. */
export function cancellable<T>(
  { signal, timeoutMs }: Cancel,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(aborted());
      return;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stop = (): void => undefined;
    let over = false;
    const end = (): void => {
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      stop();
    };
    const fail = (error: unknown): void => {
      if (over) return;
      end();
      reject(error instanceof Error ? error : new RealtimeError('internal', String(error)));
    };
    const onAbort = (): void => fail(aborted());
    signal?.addEventListener('abort', onAbort);
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => fail(new RealtimeError('timeout', 'no answer in time')), timeoutMs);
    }
    const succeed = (value: T): void => {
      if (over) return;
      end();
      resolve(value);
    };
    stop = start(succeed, fail);
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- `start` may have settled it at once
    if (over) stop();
  });
}

/** Ends after so many milliseconds, or at once when it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return cancellable({ signal }, (resolve: (value: undefined) => void) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    return () => clearTimeout(timer);
  });
}
