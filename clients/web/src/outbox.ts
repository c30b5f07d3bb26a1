import { type Backoff, fullJitter } from './backoff.js';
import { aborted, isTemporary, RealtimeError } from './errors.js';
import { pause } from './signal.js';

/** Where what waits to be sent outlives the page: localStorage, AsyncStorage and the like. */
export interface Storage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
  removeItem(key: string): unknown;
}

export interface Entry {
  /** The idempotency key. */
  id: string;
  /** What has to keep its order among itself. */
  lane: string;
  event: string;
  payload: object;
  /** Not sent after it, in milliseconds since 1970. */
  expiresAt: number;
}

interface Waiting {
  entry: Entry;
  /** Instead of the payload, while it is the very moment that it was asked for. */
  first?: object | undefined;
  signal: AbortSignal | undefined;
  resolve: (reply: unknown) => void;
  reject: (error: unknown) => void;
}

export interface OutboxOptions {
  send: (event: string, payload: object) => Promise<unknown>;
  backoff: Backoff;
  /** How many entries may wait. */
  limit: number;
  storage: Storage | undefined;
  /** Whose entries these are, in the storage; known once somebody has signed in. */
  key: Promise<string>;
}

/** What a timer can wait for. */
const TIMER_MAX_MS = 2 ** 31 - 1;

function isExpired({ entry }: Waiting): boolean {
  return Date.now() > entry.expiresAt;
}

/**
 * What the user sends, in order, once each: it waits here until the server has answered. A lane has one request under way;
 * what fails for a while is sent again under the same idempotency key, what is refused is given back to its sender.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #lanes = new Map<string, Waiting[]>();
  readonly #running = new Set<string>();
  readonly #sending = new Map<string, Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #size = 0;
  #online = false;
  #closed = false;
  #retryAfterMs = 0;
  /** What an earlier page left goes first, so nothing goes before it is known. */
  #restored: boolean;
  #stored: Promise<void> = Promise.resolve();

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#restored = options.storage === undefined;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes up what an earlier page left behind; nobody waits for its answers any more. */
  async restore(): Promise<void> {
    const entries = await this.#read();
    if (this.#closed) return;
    const added = [...this.#lanes.values()].flat();
    const known = new Set(added.map(({ entry }) => entry.id));
    this.#lanes.clear();
    this.#size = 0;
    this.#restored = true;
    for (const entry of entries.filter(({ id }) => !known.has(id))) {
      this.#push({ entry, signal: undefined, resolve: () => undefined, reject: () => undefined });
    }
    for (const waiting of added) this.#push(waiting);
  }

  /** `first`: what is sent instead of its payload if that is at once; not again, and it is not stored. */
  add(entry: Entry, signal?: AbortSignal, first?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(aborted());
        return;
      }
      this.#sweep();
      if (this.#size >= this.#options.limit) {
        reject(new RealtimeError('queue_full', `${this.#size} requests are waiting to be sent`));
        return;
      }
      const waiting: Waiting = { entry, first, signal, resolve, reject };
      signal?.addEventListener('abort', () => this.#settle(waiting, () => reject(aborted())), { once: true });
      this.#store((entries) => [...entries, entry]);
      this.#push(waiting);
      waiting.first = undefined;
    });
  }

  setOnline(online: boolean): void {
    this.#online = online;
    if (online) for (const lane of this.#lanes.keys()) void this.#run(lane);
  }

  /** Whoever waits is told; what is in the storage stays there. */
  close(): void {
    this.#closed = true;
    const all = [...this.#lanes.values()].flat();
    this.#lanes.clear();
    this.#size = 0;
    clearTimeout(this.#timer);
    for (const { reject } of all) reject(new RealtimeError('offline', 'disconnected before it was sent'));
  }

  #push(waiting: Waiting): void {
    const { lane } = waiting.entry;
    const all = this.#lanes.get(lane) ?? [];
    all.push(waiting);
    this.#lanes.set(lane, all);
    this.#size++;
    void this.#run(lane);
    this.#sweep();
  }

  // Whoever waits without a connection is told in time too. What is under way is left to its answer.
  #sweep(): void {
    clearTimeout(this.#timer);
    const waiting = [...this.#lanes.values()].flat().filter((one) => one !== this.#sending.get(one.entry.lane));
    const [old, rest] = [waiting.filter(isExpired), waiting.filter((one) => !isExpired(one))];
    for (const one of old) this.#expire(one);
    const next = Math.min(...rest.map(({ entry }) => entry.expiresAt));
    if (next < Infinity) this.#timer = setTimeout(() => this.#sweep(), Math.min(next + 1 - Date.now(), TIMER_MAX_MS));
  }

  #expire(waiting: Waiting): void {
    this.#settle(waiting, () => waiting.reject(new RealtimeError('expired', 'it was too old to be sent')));
  }

  async #run(lane: string): Promise<void> {
    if (this.#running.has(lane)) return;
    this.#running.add(lane);
    let attempts = 0;
    for (let first = this.#next(lane); first; first = this.#next(lane)) {
      attempts = (await this.#try(first)) ? 0 : attempts + 1;
      if (attempts > 0 && this.#online) await pause(this.#waitMs(attempts));
    }
    this.#running.delete(lane);
  }

  #waitMs(attempts: number): number {
    return Math.max(this.#retryAfterMs, fullJitter(this.#options.backoff, attempts));
  }

  #next(lane: string): Waiting | undefined {
    if (!this.#online || this.#closed || !this.#restored) return undefined;
    return this.#lanes.get(lane)?.[0];
  }

  // Whether it is done with, well or not.
  async #try(waiting: Waiting): Promise<boolean> {
    const { entry } = waiting;
    if (isExpired(waiting)) {
      this.#expire(waiting);
      return true;
    }
    this.#sending.set(entry.lane, waiting);
    try {
      const reply = await this.#options.send(entry.event, waiting.first ?? entry.payload);
      this.#settle(waiting, () => waiting.resolve(reply));
      return true;
    } catch (error) {
      if (isTemporary(error)) {
        this.#retryAfterMs = error.retryAfterMs ?? 0;
        return false;
      }
      this.#settle(waiting, () => waiting.reject(error));
      return true;
    } finally {
      this.#sending.delete(entry.lane);
      this.#sweep();
    }
  }

  #settle(waiting: Waiting, tell: () => void): void {
    const all = this.#lanes.get(waiting.entry.lane) ?? [];
    const at = all.indexOf(waiting);
    if (at < 0) return;
    all.splice(at, 1);
    this.#size--;
    this.#store((entries) => entries.filter(({ id }) => id !== waiting.entry.id));
    tell();
  }

  // --- the storage: read, changed and written in one go, since other tabs have entries there too ---

  async #read(): Promise<Entry[]> {
    try {
      const text = await this.#options.storage?.getItem(await this.#options.key);
      const entries: unknown = JSON.parse(text ?? '[]');
      return Array.isArray(entries) ? (entries as Entry[]) : [];
    } catch {
      return []; // what can't be read can't be sent
    }
  }

  #store(change: (entries: Entry[]) => Entry[]): void {
    const { storage, key } = this.#options;
    if (!storage) return;
    this.#stored = this.#stored.then(async () => {
      try {
        const name = await key;
        await alone(name, async () => {
          const entries = change(await this.#read());
          await (entries.length > 0 ? storage.setItem(name, JSON.stringify(entries)) : storage.removeItem(name));
        });
      } catch {
        // A storage that is full or forbidden costs what would outlive the page, and nothing else.
      }
    });
  }
}

// Where tabs share a storage they share locks too; elsewhere nobody else has it.
async function alone(name: string, run: () => Promise<void>): Promise<void> {
  if (typeof navigator === 'object' && 'locks' in navigator) await navigator.locks.request(name, run);
  else await run();
}
