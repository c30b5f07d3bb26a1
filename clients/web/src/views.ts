import { type Emitter } from './emitter.js';
import { type BalanceUpdate, type PresenceUpdate, type ServerEvents, type TransferUpdate } from './generated/events.js';
import { type Inbox } from './inbox.js';
import { getOrMake } from './maps.js';
import { type ClientEvents } from './options.js';
import { People } from './people.js';
import { Rooms } from './rooms.js';
import { Value } from './store.js';

export type ServerEvent = {
  [Name in keyof ServerEvents]: { name: Name; data: ServerEvents[Name] };
}[keyof ServerEvents];

/** What a member is told who is one no more. */
const LEFT: ReadonlySet<string> = new Set(['left', 'removed']);

export interface ViewsPort {
  events: Emitter<ClientEvents>;
  inbox: Inbox;
  /** Whose views these are. */
  user: () => string;
  /** The user may no longer read a room. */
  left: (roomId: string) => void;
}

/** What is shown of one user, and what each event changes of it. */
export class Views {
  readonly balances = new Value<ReadonlyMap<string, BalanceUpdate>>(new Map());
  readonly people = new People();
  readonly rooms = new Rooms();
  readonly #transfers = new Map<string, Value<TransferUpdate | undefined>>();
  readonly #port: ViewsPort;

  constructor(port: ViewsPort) {
    this.#port = port;
  }

  transfer(transferId: string): Value<TransferUpdate | undefined> {
    return getOrMake(this.#transfers, transferId, () => new Value<TransferUpdate | undefined>(undefined));
  }

  /** Shows it and tells it, unless it says nothing new. */
  show(event: ServerEvent): void {
    const news = this.#apply(event);
    if (news !== undefined) this.#port.events.emit(event.name, news as never);
  }

  showPeople(users: readonly PresenceUpdate[]): void {
    for (const user of this.people.replace(users)) this.#port.events.emit('presence', user);
  }

  /** Of a room that may no longer be read nothing is shown, and nothing asked for. */
  dropRoom(roomId: string): void {
    this.#port.left(roomId);
    this.rooms.drop(roomId);
  }

  /** In place: whoever watches a store goes on watching it, and sees that it is empty. */
  clear(): void {
    this.rooms.clear();
    for (const transfer of this.#transfers.values()) transfer.set(undefined);
    this.people.replace([]);
    this.balances.set(new Map());
    this.#port.inbox.clear();
  }

  // What an event changes of what is shown; returns what listeners are told.
  #apply({ name, data }: ServerEvent): unknown {
    switch (name) {
      case 'balanceUpdate':
        this.balances.update((all) => new Map(all).set(data.walletId, data));
        return data;
      case 'transferUpdate':
        this.transfer(data.transferId).set(data);
        return data;
      case 'unread':
        this.#port.inbox.setCounters(data);
        return data;
      case 'inboxChanged':
        this.#port.inbox.change(data);
        return data;
      case 'presence':
        return this.people.update(data) ? data : undefined;
      case 'friends':
        this.showPeople(data.users);
        return data;
      case 'chatMessage':
        this.rooms.add(data);
        return this.rooms.get(data.roomId).tell(data) ? data : undefined;
      case 'chatRoom':
        if (data.userId === this.#port.user() && LEFT.has(data.change)) this.dropRoom(data.roomId);
        return data;
      case 'chatRead':
        return this.rooms.get(data.roomId).read(data) ? data : undefined;
      case 'typing':
        this.rooms.get(data.roomId).typing(data);
        return data;
      default:
        return data;
    }
  }
}
