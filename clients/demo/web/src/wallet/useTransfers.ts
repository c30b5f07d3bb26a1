import { useEvent } from '@walletwire/react';
import { useCallback, useEffect, useState } from 'react';

import { askBank } from '../bank';
import { useDirectory } from './directory';

/** Transfers that are under way: those that began here, those that are announced as pending, and those the bank has. */
export function useTransfers(): {
  ids: readonly string[];
  track: (id: string) => void;
  forget: (id: string) => void;
} {
  const { me } = useDirectory();
  const [ids, setIds] = useState<readonly string[]>([]);
  const track = useCallback((id: string) => setIds((all) => (all.includes(id) ? all : [...all, id])), []);
  const forget = useCallback((id: string) => setIds((all) => all.filter((one) => one !== id)), []);

  useEffect(() => {
    const abort = new AbortController();
    askBank('GET /state', undefined, { signal: abort.signal }).then(
      ({ transfers }) => {
        const isMine = transfers.filter(({ from, to, state }) => state === 'processing' && [from, to].includes(me.id));
        for (const { transferId } of isMine) track(transferId);
      },
      () => undefined, // what comes is announced
    );
    return () => abort.abort();
  }, [me.id, track]);
  useEvent('transaction', ({ id, status }) => {
    if (status === 'pending') track(id);
  });
  return { ids, track, forget };
}
