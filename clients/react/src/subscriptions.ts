import { type ClientEvents, type Store } from '@walletwire/client';
import { useEffect, useRef, useSyncExternalStore } from 'react';

import { useRealtime } from './context.js';

/** The value of a store, now and after each change; on a server, what it begins with. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}

/** Calls the listener of the newest rendering with each event, as long as the component is mounted. */
export function useEvent<Name extends keyof ClientEvents>(
  name: Name,
  listener: (data: ClientEvents[Name]) => void,
): void {
  const client = useRealtime();
  const newest = useRef(listener);
  useEffect(() => {
    newest.current = listener;
  });
  useEffect(() => client.on(name, (data) => newest.current(data)), [client, name]);
}
