import { createContext, type ReactNode, useContext, useMemo } from 'react';

import { type User } from '../bank';

/** Names and colours of those the bank knows; whoever else turns up is shown by their id. */
export interface Directory {
  me: Person;
  users: readonly Person[];
  find: (userId: string) => Person;
}

export type Person = Pick<User, 'name' | 'role' | 'colour'> & { id: string };

const UNKNOWN_COLOUR = '#5b6762';

const Context = createContext<Directory | undefined>(undefined);

export function DirectoryProvider(props: { me: string; users: readonly Person[]; children: ReactNode }): ReactNode {
  const { me, users, children } = props;
  const directory = useMemo(() => {
    const find = (id: string): Person =>
      users.find((user) => user.id === id) ?? { id, name: id, role: '', colour: UNKNOWN_COLOUR };
    return { me: find(me), users, find };
  }, [me, users]);
  return <Context.Provider value={directory}>{children}</Context.Provider>;
}

export function useDirectory(): Directory {
  const directory = useContext(Context);
  if (!directory) throw new Error('useDirectory: there is no DirectoryProvider above');
  return directory;
}
