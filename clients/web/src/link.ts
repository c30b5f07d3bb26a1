import { type Cancel } from './signal.js';
import { type Store } from './store.js';

/** Where the connection stands. */
export type ConnectionState =
  /** Not connected: nobody asked for it, or the device has no network. */
  | { status: 'offline' }
  | { status: 'connecting' }
  /** `recovered`: it goes on where the one before it ended. */
  | { status: 'online'; recovered: boolean }
  /** Lost; tried again at `nextAttemptAt` (milliseconds since 1970), for the `attempt`-th time. */
  | { status: 'reconnecting'; attempt: number; nextAttemptAt: number }
  /** Given up until `connect` is called again. `reason`: the code of the refusal. */
  | { status: 'failed'; reason: string };

/** What a link tells whoever uses it. */
export interface LinkListener {
  /** Before the events of a connection. */
  online(recovered: boolean): void;
  /** One event as it came: its name, its payload, and the offset if it had one. */
  event(name: string, data: unknown, offset: string | undefined): void;
}

/** A way to the server: a socket, or another tab that has one. */
export interface Link {
  readonly state: Store<ConnectionState>;
  open(listener: LinkListener): void;
  close(): void;
  /** Tries again now instead of at the next attempt. */
  retry(): void;
  /** Waits for the connection, asks, and returns the acknowledgement; fails with a RealtimeError. */
  ask(event: string, payload: object, cancel: Cancel): Promise<unknown>;
}

/** Resolves as soon as the link is online. */
export function whenOnline(state: Store<ConnectionState>): { promise: Promise<void>; stop: () => void } {
  let stop = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    const look = (): void => {
      if (state.get().status === 'online') {
        stop();
        resolve();
      }
    };
    stop = state.subscribe(look);
    look();
  });
  return { promise, stop };
}
