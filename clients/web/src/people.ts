import { type PresenceUpdate } from './generated/events.js';
import { type Store, Value } from './store.js';

export type PeopleView = ReadonlyMap<string, PresenceUpdate>;

/** Friends who are or were seen; whoever is not in it is offline. */
export class People {
  readonly #view = new Value<PeopleView>(new Map());

  get view(): Store<PeopleView> {
    return this.#view;
  }

  /** Whether it says anything new: a list of friends and a change may tell the same. */
  update(update: PresenceUpdate): boolean {
    if (!isNews(update, this.#view.get())) return false;
    this.#view.update((view) => new Map(view).set(update.userId, update));
    return true;
  }

  /** The whole truth: returns what is different from before, those who have gone too. */
  replace(users: readonly PresenceUpdate[]): PresenceUpdate[] {
    const before = this.#view.get();
    const after = new Map(users.map((user) => [user.userId, user]));
    const gone = [...before.values()].filter(({ userId, status }) => status !== 'offline' && !after.has(userId));
    const left = gone.map(({ userId }): PresenceUpdate => ({ userId, status: 'offline' }));
    const news = users.filter((user) => isNews(user, before));
    if (news.length + left.length > 0 || after.size !== before.size) this.#view.set(after);
    return [...news, ...left];
  }
}

/** Whether anything that is shown of the user is different: nobody knows more of one who is not there than of one who is offline. */
function isNews({ userId, status, lastSeen }: PresenceUpdate, view: PeopleView): boolean {
  const known = view.get(userId);
  return status !== (known?.status ?? 'offline') || lastSeen !== known?.lastSeen;
}
