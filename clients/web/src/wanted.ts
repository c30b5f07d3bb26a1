import { type Backoff, fullJitter } from './backoff.js';
import { isTemporary, type RealtimeError } from './errors.js';
import { type Cancel, pause } from './signal.js';

/**
 * What has to be asked for on each connection: counted, as more than one place may want the same. It is wanted whether or
 * not there is a connection, and whoever it is of, until it is taken back or refused for good.
 */
export class Wanted<T> {
  readonly #ask: (key: string, cancel?: Cancel) => Promise<T>;
  readonly #counts = new Map<string, number>();
  /** Those that are being asked for, or will be once there is a connection. */
  readonly #asking = new Map<string, number>();

  constructor(ask: (key: string, cancel?: Cancel) => Promise<T>) {
    this.#ask = ask;
  }

  get keys(): string[] {
    return [...this.#counts.keys()];
  }

  async add(key: string, cancel?: Cancel): Promise<T> {
    count(this.#counts, key, 1);
    count(this.#asking, key, 1);
    try {
      return await this.#ask(key, cancel);
    } catch (error) {
      if (!isTemporary(error)) count(this.#counts, key, -1);
      throw error;
    } finally {
      count(this.#asking, key, -1);
    }
  }

  /** Takes back one `add`; whether nobody wants it any more. */
  remove(key: string): boolean {
    return count(this.#counts, key, -1) <= 0;
  }

  /** Takes back all. */
  drop(key: string): void {
    this.#counts.delete(key);
  }

  /**
   * Asks for all anew, one after another, since a server takes so many questions at a time only; and again for what failed
   * for a while. Ends early when `isOver` says so.
   */
  async restore(backoff: Backoff, isOver: () => boolean): Promise<void> {
    let left = this.keys.filter((key) => !this.#asking.has(key));
    for (let attempts = 1; left.length > 0; attempts++) {
      const failed: string[] = [];
      for (const key of left) {
        if (isOver()) return;
        const error = await this.#again(key);
        if (!error) continue;
        failed.push(key);
        if (error.retryAfterMs) await pause(error.retryAfterMs);
      }
      left = failed;
      if (left.length > 0) await pause(fullJitter(backoff, attempts));
    }
  }

  async #again(key: string): Promise<RealtimeError | undefined> {
    if (!this.#counts.has(key)) return undefined;
    try {
      await this.#ask(key);
    } catch (error) {
      if (isTemporary(error)) return error;
      this.drop(key);
    }
    return undefined;
  }
}

/** Adds to a count that is not kept at 0; returns it. */
function count(counts: Map<string, number>, key: string, change: number): number {
  const n = (counts.get(key) ?? 0) + change;
  if (n > 0) counts.set(key, n);
  else counts.delete(key);
  return n;
}
