import { RealtimeError } from '../src/errors.js';
import { type ConnectionState, type Link, type LinkListener } from '../src/link.js';
import { Value } from '../src/store.js';
import { type TokenProvider } from '../src/token.js';

/** One question to the server; `reply` and `fail` settle it. */
export interface Asked {
  event: string;
  payload: Record<string, unknown>;
  reply: (body: object) => void;
  fail: (code: 'forbidden' | 'unavailable' | 'internal' | 'rate_limited' | 'offline', retryAfterMs?: number) => void;
}

/** A link whose server is the test: it takes the place of SocketLink by `vi.mock`. */
export class FakeLink implements Link {
  static newest: FakeLink;
  readonly state = new Value<ConnectionState>({ status: 'offline' });
  /** What was asked, oldest first. */
  readonly asked: Asked[] = [];
  /** Answers at once what it knows; the rest waits in `asked` for the test. */
  answer: (event: string, payload: Record<string, unknown>) => object | Error | undefined = () => undefined;
  listener: LinkListener | undefined;

  readonly #provide: TokenProvider;

  constructor({ provide }: { provide: TokenProvider }) {
    this.#provide = provide;
    FakeLink.newest = this;
  }

  open(listener: LinkListener): void {
    this.listener = listener;
    this.state.set({ status: 'connecting' });
    void this.#provide({ reason: 'connect' });
  }

  close(): void {
    this.state.set({ status: 'offline' });
  }

  retry(): void {
    // The test says when there is a connection.
  }

  online(recovered = false): void {
    this.listener?.online(recovered);
    this.state.set({ status: 'online', recovered });
  }

  lose(): void {
    this.state.set({ status: 'reconnecting', attempt: 1, nextAttemptAt: 0 });
  }

  send(name: string, data: object, offset?: string): void {
    this.listener?.event(name, data, offset);
  }

  ask(event: string, payload: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const fields = payload as Record<string, unknown>;
      const fail: Asked['fail'] = (code, retryAfterMs) =>
        reject(new RealtimeError(code, code, retryAfterMs === undefined ? {} : { retryAfterMs }));
      this.asked.push({ event, payload: fields, reply: resolve, fail });
      const known = this.answer(event, fields);
      if (known instanceof Error) reject(known);
      else if (known) resolve(known);
    });
  }

  /** The payloads of all questions of one name. */
  payloads(event: string): Record<string, unknown>[] {
    return this.asked.filter((asked) => asked.event === event).map(({ payload }) => payload);
  }
}
