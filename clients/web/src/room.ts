import { type ChatMessage, type ChatRead, type ChatTyping } from './generated/events.js';
import { type Store, Value } from './store.js';

/** Typing is told again while it goes on; what its end was told by may be lost. */
const TYPING_MS = 6000;

export interface RoomView {
  /** In the order of their numbers. */
  messages: readonly ChatMessage[];
  /** Who is typing. */
  typing: readonly string[];
  /** How far each member has read, as far as it is told. */
  readMarkers: ReadonlyMap<string, number>;
  status: 'idle' | 'loading' | 'ready' | 'failed';
}

// A page that was asked for before an edit may come after it.
function isLater(message: ChatMessage, known: ChatMessage): boolean {
  if (message.deleted !== known.deleted) return message.deleted;
  return (message.editedAt ?? '') > (known.editedAt ?? '');
}

const EMPTY: RoomView = { messages: [], typing: [], readMarkers: new Map(), status: 'idle' };

/** One room as it is shown. */
export class Room {
  readonly #view = new Value<RoomView>(EMPTY);
  /** Of each number the latest word that listeners were told: a page may show a message before it comes. */
  readonly #told = new Map<number, ChatMessage>();
  #loads = 0;
  readonly #typing = new Map<string, ReturnType<typeof setTimeout>>();

  get view(): Store<RoomView> {
    return this.#view;
  }

  /** Whether listeners have to be told of it; from then on they have been. */
  tell(message: ChatMessage): boolean {
    const told = this.#told.get(message.seq);
    if (told && !isLater(message, told)) return false;
    this.#told.set(message.seq, message);
    return true;
  }

  /** Whether it says nothing new. */
  has(message: ChatMessage): boolean {
    const known = this.#find(message);
    return known !== undefined && !isLater(message, known);
  }

  /** Whether it is a later edition of one that is shown. */
  hasEarlier(message: ChatMessage): boolean {
    return this.#find(message) !== undefined && !this.has(message);
  }

  /** It is loading from now on; what this returns says how that ended, unless it began anew meanwhile. */
  load(): (ended: 'ready' | 'failed') => void {
    const own = ++this.#loads;
    this.#setStatus('loading');
    return (ended) => {
      if (own === this.#loads) this.#setStatus(ended);
    };
  }

  /** New ones, older ones, and edited ones: the later word about a number counts. */
  add(messages: readonly ChatMessage[]): void {
    const bySeq = new Map(this.#view.get().messages.map((message) => [message.seq, message]));
    for (const message of messages) {
      const known = bySeq.get(message.seq);
      if (!known || isLater(message, known)) bySeq.set(message.seq, message);
      this.#setTyping(message.senderId, false);
    }
    const sorted = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
    this.#view.update((view) => ({ ...view, messages: sorted }));
  }

  /** Whether it says anything new. */
  read({ userId, seq }: ChatRead): boolean {
    const known = this.#view.get().readMarkers.get(userId) ?? 0;
    if (seq <= known) return false;
    this.#view.update((view) => ({ ...view, readMarkers: new Map(view.readMarkers).set(userId, seq) }));
    return true;
  }

  typing({ userId, typing }: ChatTyping): void {
    this.#setTyping(userId, typing);
  }

  /** As if nothing had ever been known of it; whoever watches it sees that. */
  clear(): void {
    for (const timer of this.#typing.values()) clearTimeout(timer);
    this.#typing.clear();
    this.#told.clear();
    this.#view.set(EMPTY);
  }

  #setStatus(status: RoomView['status']): void {
    this.#view.update((view) => ({ ...view, status }));
  }

  #find({ seq }: ChatMessage): ChatMessage | undefined {
    return this.#view.get().messages.find((known) => known.seq === seq);
  }

  #setTyping(userId: string, typing: boolean): void {
    clearTimeout(this.#typing.get(userId));
    if (typing)
      this.#typing.set(
        userId,
        setTimeout(() => this.#setTyping(userId, false), TYPING_MS),
      );
    else if (!this.#typing.delete(userId)) return;
    this.#view.update((view) => ({ ...view, typing: [...this.#typing.keys()] }));
  }
}
