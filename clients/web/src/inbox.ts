import { type Changed, type InboxState, type NotificationItem, type Unread } from './generated/events.js';
import { type RealtimeError } from './errors.js';
import { type Store, Value } from './store.js';

/** Which items: by their ids, all up to a number of the mailbox, or all that were shown. */
export type Selection = readonly string[] | { upTo: number } | 'all';
export type Action = 'seen' | 'read' | 'archived';

export interface InboxView {
  /** Newest first, without what was archived or taken back. */
  items: readonly NotificationItem[];
  status: 'idle' | 'loading' | 'ready' | 'failed';
  hasMore: boolean;
  error?: RealtimeError;
}

/** What was asked for and not answered yet: shown as if it were done, and gone without a trace if it fails. */
interface Pending {
  action: Action;
  selection: Selection;
}

const STATE_OF: Readonly<Record<Action | 'recalled', InboxState>> = {
  seen: 'unread',
  read: 'read',
  archived: 'archived',
  recalled: 'recalled',
};
const ORDER: readonly InboxState[] = ['', 'unseen', 'unread', 'read', 'archived', 'expired', 'recalled'];
const SHOWN: ReadonlySet<InboxState> = new Set(['', 'unseen', 'unread', 'read']);
const UNREAD: ReadonlySet<InboxState> = new Set(['', 'unseen', 'unread']);

/** Whether it still waits for its reader. */
export function isUnread(state: InboxState): boolean {
  return UNREAD.has(state);
}

function isSelected({ notification }: NotificationItem, selection: Selection): boolean {
  if (selection === 'all') return true;
  if ('upTo' in selection) return notification.seq > 0 && notification.seq <= selection.upTo;
  return selection.includes(notification.id);
}

/** An item never goes back. */
function move(item: NotificationItem, to: InboxState): NotificationItem {
  return ORDER.indexOf(to) > ORDER.indexOf(item.state) ? { ...item, state: to } : item;
}

function apply(
  items: readonly NotificationItem[],
  action: Action | 'recalled',
  selection: Selection,
): NotificationItem[] {
  return items.map((item) => (isSelected(item, selection) ? move(item, STATE_OF[action]) : item));
}

function selectionOf({ ids, upTo }: Changed): Selection {
  if (ids) return ids;
  return upTo === undefined ? 'all' : { upTo };
}

/** The inbox as it is shown: what the server said, with what is under way on top. */
export class Inbox {
  readonly #view = new Value<InboxView>({ items: [], status: 'idle', hasMore: true });
  readonly #unread = new Value<Unread | undefined>(undefined);
  #items: readonly NotificationItem[] = [];
  #counters: Unread | undefined;
  readonly #pending = new Set<Pending>();

  get view(): Store<InboxView> {
    return this.#view;
  }

  /** The counters; total is the one with what is under way. */
  get unread(): Store<Unread | undefined> {
    return this.#unread;
  }

  clear(): void {
    this.#items = [];
    this.#counters = undefined;
    this.#pending.clear();
    this.#view.set({ items: [], status: 'idle', hasMore: true });
    this.#unread.set(undefined);
  }

  setCounters(counters: Unread): void {
    if (this.#counters && counters.version < this.#counters.version) return;
    this.#counters = counters;
    this.#show();
  }

  /** One that came live. */
  add(item: NotificationItem): void {
    if (this.#items.some(({ notification }) => notification.id === item.notification.id)) return;
    this.#items = [item, ...this.#items];
    this.#show();
  }

  setStatus(status: InboxView['status'], error?: RealtimeError): void {
    const { items, hasMore } = this.#view.get();
    this.#view.set({ items, hasMore, status, ...(error && { error }) });
  }

  /** A page: the first takes the place of all there is, others follow below. What came live meanwhile stays on top. */
  setPage(page: readonly NotificationItem[], { first, hasMore }: { first: boolean; hasMore: boolean }): void {
    const paged = new Set(page.map(({ notification }) => notification.id));
    const newest = page[0]?.notification.createdAt ?? '';
    const kept = this.#items.filter(
      ({ notification }) => !paged.has(notification.id) && (!first || notification.createdAt > newest),
    );
    this.#items = [...kept, ...page];
    this.#view.set({ items: this.#view.get().items, status: 'ready', hasMore });
    this.#show();
  }

  /** The server says so, after this or another device asked. */
  change(changed: Changed): void {
    if (changed.action === '') return;
    this.#items = apply(this.#items, changed.action, selectionOf(changed));
    this.#show();
  }

  /** Shows it at once, and takes that back if `request` fails. */
  async mark<Reply extends { unread: number }>(
    action: Action,
    selection: Selection,
    request: Promise<Reply>,
  ): Promise<Reply> {
    const pending = { action, selection };
    const before = this.#counters?.version;
    this.#pending.add(pending);
    this.#show();
    try {
      const reply = await request;
      this.#items = apply(this.#items, action, selection);
      // Counters that came meanwhile are newer than the answer, or have it in them.
      if (this.#counters && this.#counters.version === before)
        this.#counters = { ...this.#counters, total: reply.unread };
      return reply;
    } finally {
      this.#pending.delete(pending);
      this.#show();
    }
  }

  #show(): void {
    const before = this.#items;
    let after = before;
    for (const { action, selection } of this.#pending) after = apply(after, action, selection);
    this.#view.update((view) => ({ ...view, items: after.filter(({ state }) => SHOWN.has(state)) }));
    this.#unread.set(this.#counters && this.#withPending(this.#counters, before, after));
  }

  #withPending(counters: Unread, before: readonly NotificationItem[], after: readonly NotificationItem[]): Unread {
    const done = before.filter((item, i) => UNREAD.has(item.state) && !UNREAD.has(after[i]?.state ?? '')).length;
    const all = [...this.#pending].some(({ action, selection }) => selection === 'all' && action !== 'seen');
    if (done === 0 && !all) return counters;
    return { ...counters, total: all ? 0 : Math.max(0, counters.total - done) };
  }
}
