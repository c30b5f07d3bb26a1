import { isTemporary, RealtimeError, type ErrorCode } from './errors.js';
import { type ConnectionState, type Link, type LinkListener } from './link.js';
import { randomId } from './id.js';
import { type Cancel, cancellable, pause } from './signal.js';
import { SocketLink, type SocketLinkOptions } from './socket-link.js';
import { Value } from './store.js';
import { subjectOf } from './token.js';

/** What tabs tell each other. */
type Message =
  /** Of the leader: where the socket stands. `anew`: what was said of the socket before this is over. */
  | { kind: 'state'; state: ConnectionState; anew?: boolean }
  | { kind: 'event'; name: string; data: unknown; offset: string | undefined; to?: string }
  | { kind: 'answer'; id: string; reply?: unknown; error?: WireError }
  /** Of the others. */
  | { kind: 'hello'; from: string }
  | { kind: 'ask'; id: string; event: string; payload: object; timeoutMs: number | undefined }
  | { kind: 'retry' }
  /** Of the leader to a tab that said hello: all it has to know. */
  | { kind: 'welcome'; to: string; state: ConnectionState };

interface WireError {
  code: ErrorCode;
  message: string;
  field?: string | undefined;
  retryAfterMs?: number | undefined;
}

interface Question {
  event: string;
  payload: object;
  timeoutMs: number | undefined;
  resolve: (reply: unknown) => void;
  reject: (error: unknown) => void;
}

/** What a tab would take from the others: the socket is everybody's, so its channels are left when it ends. */
const SHARED = new Set(['transfer:untrack', 'unsubscribe']);

/** States that the server tells a socket when it connects, and that a tab which comes later has to be told. */
const SNAPSHOTS = new Set(['balance:update', 'notifications:unread', 'presence:friends', 'presence:update']);

/**
 * One socket for all tabs of a user: whoever holds a Web Lock has the socket and tells the others what comes, over a
 * BroadcastChannel. When that tab goes, the browser gives its lock to the next one; questions that were not answered are
 * asked again there, which is safe, since every verb may be repeated.
 */
export class TabsLink implements Link {
  readonly state = new Value<ConnectionState>({ status: 'offline' });
  readonly #options: SocketLinkOptions;
  readonly #id = randomId();
  readonly #questions = new Map<string, Question>();
  /** Questions of other tabs that are under way. */
  readonly #asked = new Set<string>();
  readonly #snapshots = new Map<string, { name: string; data: unknown }>();
  /** Where the socket stands. */
  #offset: string | undefined;
  #listener: LinkListener | undefined;
  #channel: BroadcastChannel | undefined;
  #socket: SocketLink | undefined;
  #unwatch: () => void = () => undefined;
  #abort = new AbortController();

  static isPossible(): boolean {
    return typeof BroadcastChannel === 'function' && typeof navigator === 'object' && 'locks' in navigator;
  }

  constructor(options: SocketLinkOptions) {
    this.#options = options;
  }

  open(listener: LinkListener): void {
    this.close();
    this.#listener = listener;
    this.#abort = new AbortController();
    this.state.set({ status: 'connecting' });
    void this.#start(this.#abort.signal);
  }

  close(): void {
    this.#leave();
    this.state.set({ status: 'offline' });
  }

  // Its lock, too, goes to the next tab.
  #leave(): void {
    this.#abort.abort();
    this.#unwatch();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.#channel?.close();
    this.#channel = undefined;
    for (const { reject } of this.#questions.values()) reject(new RealtimeError('offline', 'disconnected'));
    this.#questions.clear();
    this.#snapshots.clear();
  }

  retry(): void {
    if (this.#socket) this.#socket.retry();
    else this.#post({ kind: 'retry' });
  }

  ask(event: string, payload: object, cancel: Cancel): Promise<unknown> {
    if (SHARED.has(event)) return Promise.resolve({});
    if (this.#socket) return this.#socket.ask(event, payload, cancel);
    return cancellable(cancel, (resolve, reject) => {
      const id = randomId();
      this.#questions.set(id, { event, payload, timeoutMs: cancel.timeoutMs, resolve, reject });
      this.#post({ kind: 'ask', id, event, payload, timeoutMs: cancel.timeoutMs });
      return () => this.#questions.delete(id);
    });
  }

  // Tabs of different users have different sockets, so it has to be known whose this is.
  async #start(signal: AbortSignal): Promise<void> {
    const user = await this.#user(signal).catch(() => undefined);
    if (signal.aborted) return;
    if (user === undefined) {
      this.state.set({ status: 'failed', reason: 'token_missing' });
      return;
    }
    const name = `walletwire:${this.#options.url}:${user}`;
    const channel = new BroadcastChannel(name);
    channel.onmessage = ({ data }: MessageEvent<Message>) => this.#receive(data);
    this.#channel = channel;
    this.#post({ kind: 'hello', from: this.#id });
    // Held until close(), or until the tab has gone.
    await navigator.locks.request(name, { signal }, () => this.#lead(signal)).catch(() => undefined);
  }

  async #user(signal: AbortSignal): Promise<string | undefined> {
    for (;;) {
      try {
        const token = await this.#options.provide({ reason: 'connect' });
        return token ? subjectOf(token) : undefined;
      } catch {
        await pause(this.#options.backoff.baseMs, signal);
      }
    }
  }

  // --- the tab that has the socket ---

  async #lead(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const socket = new SocketLink(this.#options);
    this.#socket = socket;
    this.#unwatch = socket.state.subscribe(() => this.#setState(socket.state.get()));
    socket.open({
      online: (recovered) => {
        if (!recovered) {
          this.#snapshots.clear();
          this.#offset = undefined;
        }
        this.#listener?.online(recovered);
        this.#post({ kind: 'state', state: { status: 'online', recovered }, anew: true });
      },
      event: (name, data, offset) => {
        this.#offset = offset ?? this.#offset;
        this.#remember(name, data);
        this.#listener?.event(name, data, offset);
        this.#post({ kind: 'event', name, data, offset });
      },
    });
    this.#takeOver(socket);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  }

  // What this tab asked of the one before and was not answered.
  #takeOver(socket: SocketLink): void {
    const questions = [...this.#questions.values()];
    this.#questions.clear();
    for (const { event, payload, timeoutMs, resolve, reject } of questions) {
      socket.ask(event, payload, { timeoutMs }).then(resolve, reject);
    }
  }

  #setState(state: ConnectionState): void {
    // The token of this tab may be what is wrong; another one may have a better one.
    if (state.status === 'failed') this.#leave();
    this.state.set(state);
    if (state.status !== 'online') this.#post({ kind: 'state', state });
  }

  #remember(name: string, data: unknown): void {
    if (!SNAPSHOTS.has(name)) return;
    const { walletId, userId } = data as { walletId?: string; userId?: string };
    const key = `${name} ${walletId ?? userId ?? ''}`;
    this.#snapshots.delete(key); // in the order in which they came
    this.#snapshots.set(key, { name, data });
  }

  #welcome(to: string): void {
    this.#post({ kind: 'welcome', to, state: this.state.get() });
    // All that came before the tab is no news to it.
    const offset = this.#offset;
    for (const snapshot of this.#snapshots.values()) this.#post({ kind: 'event', ...snapshot, offset, to });
  }

  async #answer({ id, event, payload, timeoutMs }: Message & { kind: 'ask' }): Promise<void> {
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    try {
      const reply = await this.#socket?.ask(event, payload, { timeoutMs });
      this.#post({ kind: 'answer', id, reply });
    } catch (error) {
      const { code, message, field, retryAfterMs } = error as RealtimeError;
      if (isTemporary(error) && !this.#socket) return; // whoever leads next is asked
      this.#post({ kind: 'answer', id, error: { code, message, field, retryAfterMs } });
    } finally {
      this.#asked.delete(id);
    }
  }

  // --- all tabs ---

  #post(message: Message): void {
    this.#channel?.postMessage(message);
  }

  #receive(message: Message): void {
    if (this.#socket) {
      if (message.kind === 'hello') this.#welcome(message.from);
      if (message.kind === 'ask') void this.#answer(message);
      if (message.kind === 'retry') this.#socket.retry();
      return;
    }
    switch (message.kind) {
      case 'state':
        if (message.anew) this.#online(message.state);
        else this.state.set(message.state);
        break;
      case 'welcome':
        if (message.to !== this.#id) break;
        if (message.state.status === 'online') this.#online({ status: 'online', recovered: false });
        else this.state.set(message.state);
        break;
      case 'event':
        if (message.to === undefined || message.to === this.#id) {
          this.#listener?.event(message.name, message.data, message.offset);
        }
        break;
      case 'answer':
        this.#settle(message);
        break;
      default:
        break;
    }
  }

  #online(state: ConnectionState): void {
    if (state.status !== 'online') return;
    this.#listener?.online(state.recovered);
    this.state.set(state);
    for (const [id, { event, payload, timeoutMs }] of this.#questions) {
      this.#post({ kind: 'ask', id, event, payload, timeoutMs });
    }
  }

  #settle({ id, reply, error }: Message & { kind: 'answer' }): void {
    const question = this.#questions.get(id);
    if (!question) return;
    if (!error) question.resolve(reply);
    else {
      const { code, message, field, retryAfterMs } = error;
      const details = { ...(field !== undefined && { field }), ...(retryAfterMs !== undefined && { retryAfterMs }) };
      question.reject(new RealtimeError(code, message, details));
    }
  }
}
