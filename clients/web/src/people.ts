import { type PresenceUpdate } from './generated/events.js';
import { type Store, Value } from './store.js';

export type PeopleView = ReadonlyMap<string, PresenceUpdate>;

/** Friends who are or were seen; whoever is not in it is offline. */
export class People {
  readonly #view = new Value<PeopleView>(new Map());

  get view(): Store<PeopleView> {
    return this.#view;
  }

  update(update: PresenceUpdate): void {
    this.#view.update((view) => new Map(view).set(update.userId, update));
  }

  /** The whole truth: returns what is different from before, those who have gone too. */
  replace(users: readonly PresenceUpdate[]): PresenceUpdate[] {
    const before = this.#view.get();
    const after = new Map(users.map((user) => [user.userId, user]));
    const gone = [...before.values()].filter(({ userId, status }) => status !== 'offline' && !after.has(userId));
    const left = gone.map(({ userId }): PresenceUpdate => ({ userId, status: 'offline' }));
    this.#view.set(after);
    return [...users.filter(({ userId, status }) => before.get(userId)?.status !== status), ...left];
  }
}
