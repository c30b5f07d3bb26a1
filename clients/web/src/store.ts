/** A value that can be watched. `get` returns the same object until the value changes, as React asks for. */
export interface Store<T> {
  readonly get: () => T;
  /** Calls back after each change, until the function it returns is called. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** Errors of listeners are the listeners' own: they are thrown where nobody else is in the way. */
export function callSafely(run: () => void): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

export class Value<T> implements Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  readonly get = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener(); // the same function may be given twice
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  };

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) callSafely(listener);
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }
}
