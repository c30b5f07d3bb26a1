/**
 * What has to be done after each connection that does not go on where the one before ended: once, over connections that come
 * and go. Another such connection begins it anew, as answers of an earlier one may lack what came since.
 */
export class Resumption {
  readonly #run: (isOver: () => boolean) => Promise<void>;
  #generation = 0;
  /** The last one for which all was done. */
  #done = 0;
  #running: object | undefined;

  constructor(run: (isOver: () => boolean) => Promise<void>) {
    this.#run = run;
  }

  begin(): void {
    this.#generation++;
  }

  /** Whatever is under way is of a connection that nobody has any more. */
  stop(): void {
    this.#running = undefined;
  }

  async resume(isOnline: () => boolean): Promise<void> {
    if (this.#running) return;
    const own = (this.#running = {});
    const goesOn = (): boolean => this.#running === own && isOnline();
    while (goesOn() && this.#done !== this.#generation) {
      const generation = this.#generation;
      const isOver = (): boolean => !goesOn() || this.#generation !== generation;
      await this.#run(isOver);
      if (!isOver()) this.#done = generation;
    }
    if (this.#running === own) this.#running = undefined;
  }
}
