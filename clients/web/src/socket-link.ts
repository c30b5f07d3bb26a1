import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';

import { type Backoff, fullJitter } from './backoff.js';
import { RealtimeError, unwrap } from './errors.js';
import { type ConnectionState, type Link, type LinkListener, whenOnline } from './link.js';
import { type Cancel, cancellable } from './signal.js';
import { Value } from './store.js';
import { OTHER_USER, OtherUserError, type TokenProvider, type TokenRequest } from './token.js';

/** Refusals by a token in a row after which a provider is not asked again. */
const REFUSALS_MAX = 3;

/** How long a connection has to hold, in milliseconds, for the next wait to be a short one again. */
const HOLDS_MS = 5000;

export interface SocketLinkOptions {
  url: string;
  provide: TokenProvider;
  /** Whether `provide` has another token after one was refused. */
  renewable: boolean;
  backoff: Backoff;
  socket: Partial<ManagerOptions & SocketOptions>;
}

/** Of a CONNECT that was refused. */
type Refusal = Error & { data?: { code?: string } };

/** One Socket.IO connection. Reconnecting, falling back to polling and recovery are socket.io-client's. */
export class SocketLink implements Link {
  readonly state = new Value<ConnectionState>({ status: 'offline' });
  readonly #options: SocketLinkOptions;
  #socket: Socket | undefined;
  #refusals = 0;
  #attempts = 0; // in a row that failed
  #before = 0; // of these, those that the manager does not count, since a transport opened after them
  #connectedAt = Infinity;
  #delayMs = 0; // until the next attempt, once this one has failed
  #request: TokenRequest = { reason: 'connect' };
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SocketLinkOptions) {
    this.#options = options;
  }

  open(listener: LinkListener): void {
    this.close();
    this.state.set({ status: 'connecting' });
    const socket = io(this.#options.url, {
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      ...this.#options.socket,
      forceNew: true,
      autoConnect: false,
      auth: (send) => void this.#authenticate(socket, send),
      randomizationFactor: 0,
      reconnectionDelayMax: this.#options.backoff.maxMs,
    });
    this.#socket = socket;
    this.#listen(socket, listener);
    this.#plan(0);
    socket.connect();
    this.#watchNetwork('addEventListener');
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watchNetwork('removeEventListener');
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) {
      socket.io.off();
      socket.offAny();
      socket.disconnect();
      socket.off();
    }
    this.state.set({ status: 'offline' });
  }

  readonly retry = (): void => {
    const { status } = this.state.get();
    if (!this.#socket || status === 'online' || status === 'connecting') return;
    this.#refusals = 0;
    this.#reconnect(this.#socket, 0);
  };

  ask(event: string, payload: object, cancel: Cancel): Promise<unknown> {
    return cancellable(cancel, (resolve, reject) => {
      const online = whenOnline(this.state);
      let over = false;
      void online.promise.then(() => {
        if (!over) this.#emit(event, payload, cancel.timeoutMs, resolve, reject);
      });
      return () => {
        over = true;
        online.stop();
      };
    });
  }

  #emit(
    event: string,
    payload: object,
    timeoutMs = 60_000,
    resolve: (reply: unknown) => void,
    reject: (error: unknown) => void,
  ): void {
    const socket = this.#socket;
    if (!socket?.connected) {
      reject(new RealtimeError('offline', 'not connected'));
      return;
    }
    socket.timeout(timeoutMs).emit(event, payload, (error: Error | null, reply: unknown) => {
      if (error) {
        const gone = !socket.connected;
        reject(
          gone
            ? new RealtimeError('offline', 'the connection was lost')
            : new RealtimeError('timeout', 'no answer in time'),
        );
        return;
      }
      try {
        resolve(unwrap(reply));
      } catch (refused) {
        reject(refused);
      }
    });
  }

  #listen(socket: Socket, listener: LinkListener): void {
    socket.on('connect', () => {
      this.#refusals = 0;
      this.#connectedAt = Date.now();
      this.#request = { reason: 'connect' };
      const { recovered } = socket;
      listener.online(recovered);
      this.state.set({ status: 'online', recovered });
    });
    socket.onAny((name: string, data: unknown, offset: unknown) => {
      if (name === 'auth:expiring') void this.#renew();
      listener.event(name, data, typeof offset === 'string' ? offset : undefined);
    });
    socket.on('connect_error', (error: Refusal) => {
      if (error.data) this.#refused(socket, error.data.code ?? 'unauthorized');
    });
    // Left by the server, which ours never does, or by a proxy that speaks for it.
    socket.on('disconnect', (reason) => {
      if (reason === 'io server disconnect') this.#reconnectLater(socket);
    });
    socket.io.on('close', (reason) => {
      if (reason === 'forced close') return; // by ourselves, who know what comes next
      // A server that accepts and then hangs up, before or soon after CONNECT, is as good as none.
      const held = Date.now() - this.#connectedAt >= HOLDS_MS;
      this.#connectedAt = Infinity;
      this.#plan(held ? 0 : this.#attempts);
      this.#lost();
    });
    socket.io.on('error', () => this.#lost());
    socket.io.on('reconnect_attempt', (attempt) => {
      this.state.set({ status: 'connecting' });
      this.#plan(this.#before + attempt, attempt);
    });
  }

  // Makes the manager wait as long as we chose when it has failed for `attempts` times, `counted` of them by its own
  // count: it doubles what it is told each time, which is taken back here, since its own jitter is half of full.
  #plan(attempts: number, counted = 0): void {
    this.#attempts = attempts;
    this.#before = attempts - counted;
    this.#delayMs = fullJitter(this.#options.backoff, attempts);
    this.#socket?.io.reconnectionDelay(this.#delayMs / 2 ** counted);
  }

  #lost(): void {
    const attempt = this.#attempts + 1;
    const away = typeof navigator === 'object' && !((navigator.onLine as boolean | undefined) ?? true);
    this.state.set(
      away ? { status: 'offline' } : { status: 'reconnecting', attempt, nextAttemptAt: Date.now() + this.#delayMs },
    );
  }

  // --- tokens ---

  async #authenticate(socket: Socket, send: (auth: object) => void): Promise<void> {
    const { engine } = socket.io;
    let token: string | null;
    try {
      token = await this.#options.provide(this.#request);
    } catch (error) {
      if (this.#socket !== socket) return;
      if (error instanceof OtherUserError) this.#fail(socket, OTHER_USER);
      else this.#reconnectLater(socket);
      return;
    }
    if (this.#socket !== socket || socket.io.engine !== engine) return; // meanwhile it is another connection
    if (token) send({ token });
    else this.#fail(socket, 'token_missing');
  }

  async #renew(): Promise<void> {
    try {
      const token = await this.#options.provide({ reason: 'expiring' });
      if (token) await this.ask('auth:refresh', { token }, { timeoutMs: 10_000 });
    } catch (error) {
      if (error instanceof OtherUserError && this.#socket) this.#fail(this.#socket, OTHER_USER);
      // Else the connection ends with its token, and the next one asks for a token again.
    }
  }

  #refused(socket: Socket, code: string): void {
    if (code === 'too_many_sockets') {
      this.#reconnectLater(socket);
    } else if (this.#options.renewable && code.startsWith('token_') && ++this.#refusals < REFUSALS_MAX) {
      this.#request = { reason: 'refused', code };
      this.#reconnect(socket, this.#refusals > 1 ? fullJitter(this.#options.backoff, this.#refusals) : 0);
    } else {
      this.#fail(socket, code);
    }
  }

  #fail(socket: Socket, reason: string): void {
    socket.disconnect();
    this.state.set({ status: 'failed', reason });
  }

  #reconnectLater(socket: Socket): void {
    this.#plan(this.#attempts + 1);
    this.#reconnect(socket, this.#delayMs);
  }

  // What the manager does not do by itself: connecting again a socket that was refused or left.
  #reconnect(socket: Socket, delayMs: number): void {
    clearTimeout(this.#timer);
    socket.disconnect(); // the manager counts from nothing then
    this.#before = this.#attempts;
    this.state.set({ status: 'reconnecting', attempt: this.#attempts + 1, nextAttemptAt: Date.now() + delayMs });
    this.#timer = setTimeout(() => {
      this.state.set({ status: 'connecting' });
      socket.connect();
    }, delayMs);
  }

  #watchNetwork(change: 'addEventListener' | 'removeEventListener'): void {
    // React Native has a window, and no events of it.
    if (typeof window === 'object' && typeof (window as Partial<Window>)[change] === 'function') {
      window[change]('online', this.retry);
    }
  }
}
