// Work that repeats itself: one turn at a time, each says after how many milliseconds the next one is due.

const BACK_OFF_MIN_MS = 500;
const BACK_OFF_MAX_MS = 10_000;

export class Loop {
  readonly #turn: () => Promise<number | undefined>;
  readonly #onTrouble: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #wakes = 0;
  #isStopped = false;
  #backOffMs = BACK_OFF_MIN_MS;

  /** A turn that says `undefined` has nothing to do until it is woken. Of failures in a row the first one is told. */
  constructor(turn: () => Promise<number | undefined>, onTrouble: (error: unknown) => void) {
    this.#turn = turn;
    this.#onTrouble = onTrouble;
  }

  /** The next turn is now; if one is under way, another one follows at once. */
  wake(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#wakes++;
    // Not at once: the first turn, too, may wake us, and has to find that it is under way.
    this.#running ??= Promise.resolve().then(() => this.#go());
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #go(): Promise<void> {
    let waitMs, seen;
    do {
      seen = this.#wakes;
      waitMs = await this.#once();
    } while (this.#wakes !== seen && !this.#isStopped);
    this.#running = undefined;
    if (waitMs !== undefined && !this.#isStopped) this.#timer = setTimeout(() => this.wake(), waitMs);
  }

  async #once(): Promise<number | undefined> {
    try {
      const waitMs = await this.#turn();
      this.#backOffMs = BACK_OFF_MIN_MS;
      return waitMs;
    } catch (error) {
      if (this.#backOffMs === BACK_OFF_MIN_MS) this.#onTrouble(error);
      this.#backOffMs = Math.min(2 * this.#backOffMs, BACK_OFF_MAX_MS);
      return this.#backOffMs;
    }
  }
}
