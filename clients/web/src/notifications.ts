import { type ListRequest, type SelectReply, type Unread } from './generated/events.js';
import { CATCH_UP_PAGE, type Page } from './catch-up.js';
import { RealtimeError } from './errors.js';
import { randomId } from './id.js';
import { type Action, Inbox, type Selection } from './inbox.js';
import { type Cancel } from './signal.js';

export interface NotificationsPort {
  ask: (event: string, payload: object, cancel?: Cancel) => Promise<unknown>;
  /** `first` instead of `payload` if it is sent at once, and then only once. */
  enqueue: (
    event: string,
    payload: object,
    id: string,
    lane: string,
    cancel?: Cancel,
    first?: object,
  ) => Promise<unknown>;
  /** The number of the last item that was shown; `all` if nothing newer is known to wait. */
  shown: () => { upTo: number; all: boolean };
}

const EVENT_OF: Readonly<Record<Action, string>> = {
  seen: 'notifications:seen',
  read: 'notifications:read',
  archived: 'notifications:archive',
};

function payloadOf(selection: Exclude<Selection, 'all'>): object {
  return 'upTo' in selection ? selection : { ids: selection };
}

/** The verbs of the inbox, and the inbox as it is shown. */
export class Notifications {
  readonly inbox = new Inbox();
  readonly #port: NotificationsPort;
  #next = '';
  #loading: Promise<void> | undefined;

  constructor(port: NotificationsPort) {
    this.#port = port;
  }

  async list(query: ListRequest = {}, cancel?: Cancel): Promise<Page> {
    return (await this.#port.ask('notifications:list', query, cancel)) as Page;
  }

  seen(selection: Selection, cancel?: Cancel): Promise<SelectReply> {
    return this.#mark('seen', selection, cancel);
  }

  read(selection: Selection, cancel?: Cancel): Promise<SelectReply> {
    return this.#mark('read', selection, cancel);
  }

  archive(selection: Selection, cancel?: Cancel): Promise<SelectReply> {
    return this.#mark('archived', selection, cancel);
  }

  async unread(cancel?: Cancel): Promise<Unread> {
    const counters = (await this.#port.ask('notifications:unread', {}, cancel)) as Unread;
    this.inbox.setCounters(counters);
    return counters;
  }

  /** Makes sure that the first page is in `inbox`. */
  async load(): Promise<void> {
    const { status } = this.inbox.view.get();
    if (status === 'idle' || status === 'failed') await this.refresh();
  }

  /** Reads the first page again. */
  refresh(): Promise<void> {
    return this.#page('');
  }

  /** Reads the page below what is there. */
  async more(): Promise<void> {
    if (this.inbox.view.get().hasMore) await this.#page(this.#next);
  }

  #mark(action: Action, selection: Selection, cancel?: Cancel): Promise<SelectReply> {
    // "All" is what was shown by now, announcements too; asked for later it would take in what nobody saw.
    const shown = this.#port.shown();
    const payload = payloadOf(selection === 'all' ? { upTo: shown.upTo } : selection);
    const first = selection === 'all' && shown.all ? { all: true } : undefined;
    const request = this.#port.enqueue(EVENT_OF[action], payload, randomId(), 'inbox', cancel, first);
    return this.inbox.mark(action, selection, request as Promise<SelectReply>);
  }

  // One at a time: a second call of the same meanwhile is the same one.
  #page(before: string): Promise<void> {
    this.#loading ??= this.#read(before).finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async #read(before: string): Promise<void> {
    this.inbox.setStatus('loading');
    try {
      const page = await this.list({ limit: CATCH_UP_PAGE, ...(before && { before }) });
      this.#next = page.next;
      this.inbox.setPage(page.items, { first: !before, hasMore: page.next !== '' });
    } catch (error) {
      this.inbox.setStatus('failed', error instanceof RealtimeError ? error : undefined);
      throw error;
    }
  }
}
