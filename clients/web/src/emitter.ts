import { callSafely } from './store.js';

/** Listeners by the name of an event. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(data: never) => void>>();

  on<Name extends keyof Events>(name: Name, listener: (data: Events[Name]) => void): () => void {
    const own = (data: Events[Name]): void => listener(data); // the same function may be given twice
    const all = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, all.add(own));
    return () => void all.delete(own);
  }

  emit<Name extends keyof Events>(name: Name, data: Events[Name]): void {
    const all = this.#listeners.get(name) as Set<(data: Events[Name]) => void> | undefined;
    for (const listener of [...(all ?? [])]) callSafely(() => listener(data));
  }
}
