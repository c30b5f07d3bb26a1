import { type WalletwireClient } from '@walletwire/client';
import { createContext, type ReactNode, useContext } from 'react';

const Context = createContext<WalletwireClient | undefined>(undefined);

export interface RealtimeProviderProps {
  /** Made and connected by the app: rendering connects nothing, so rendering twice or on a server is harmless. */
  client: WalletwireClient;
  children?: ReactNode;
}

/** Gives a client to the hooks below it. */
export function RealtimeProvider({ client, children }: RealtimeProviderProps): ReactNode {
  return <Context.Provider value={client}>{children}</Context.Provider>;
}

/** The client of the provider above. */
export function useRealtime(): WalletwireClient {
  const client = useContext(Context);
  if (!client) throw new Error('useRealtime: there is no RealtimeProvider above');
  return client;
}
