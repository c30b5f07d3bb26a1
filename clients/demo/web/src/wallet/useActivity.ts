import { useEvent, useRealtime } from '@walletwire/react';
import { useCallback, useEffect, useReducer } from 'react';

import { type Movement, MOVEMENT_TYPES, movementOf, withMovements } from './activity';

const PAGE = 50;

interface ActivityView {
  movements: readonly Movement[];
  status: 'loading' | 'ready' | 'failed';
}

type Action = { add: readonly Movement[]; loaded?: true } | { failed: true };

function reduce(view: ActivityView, action: Action): ActivityView {
  if ('failed' in action) return { ...view, status: view.status === 'ready' ? 'ready' : 'failed' };
  return { movements: withMovements(view.movements, action.add), status: action.loaded ? 'ready' : view.status };
}

/** Movements of money: the newest page of them, and what comes. */
export function useActivity(): ActivityView {
  const client = useRealtime();
  const [view, dispatch] = useReducer(reduce, { movements: [], status: 'loading' });
  const load = useCallback(
    (signal?: AbortSignal) => {
      const page = client.notifications.list({ types: MOVEMENT_TYPES, limit: PAGE }, signal && { signal });
      page.then(
        ({ items }) => dispatch({ add: items.flatMap((item) => movementOf(item) ?? []), loaded: true }),
        () => dispatch({ failed: true }),
      );
    },
    [client],
  );
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal);
    return () => abort.abort();
  }, [load]);
  useEvent('notification', (item) => {
    const movement = movementOf(item);
    if (movement) dispatch({ add: [movement] });
  });
  useEvent('resync', () => load());
  return view;
}
