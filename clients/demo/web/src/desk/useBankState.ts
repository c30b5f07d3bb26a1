import { useCallback, useEffect, useState } from 'react';

import { askBank, messageOf, type State } from '../bank';

const EVERY_MS = 1000;

/** The bank's state, each second, and what is wrong if it does not come. */
export function useBankState(): { state: State | undefined; error: string | undefined; refresh: () => void } {
  const [state, setState] = useState<State>();
  const [error, setError] = useState<string>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        setState(await askBank('GET /state', undefined, { signal: abort.signal }));
        setError(undefined);
      } catch (reason) {
        if (abort.signal.aborted) return;
        setError(messageOf(reason));
      }
      timer = setTimeout(() => void ask(), EVERY_MS); // one at a time, however slow it is
    };
    void ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [turn]);
  return { state, error, refresh: useCallback(() => setTurn((n) => n + 1), []) };
}
