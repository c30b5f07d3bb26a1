import { type WireEvent } from './generated/events.js';

/** What is read of a payload here, if it is there. */
export interface Numbered {
  version?: number;
  announcementSeq?: number;
  walletId?: string;
  transferId?: string;
  notification?: { seq: number };
}

interface Offset {
  epoch: string;
  seq: number;
  announcement: number;
}

/** `<tag>.<epoch>.<seq>.<announcementSeq>`: where the socket stood after an event. */
function parseOffset(text: string | undefined): Offset | undefined {
  const [, epoch, seq, announcement] = text?.split('.') ?? [];
  return epoch && seq ? { epoch, seq: Number(seq), announcement: Number(announcement ?? 0) } : undefined;
}

/** The number in the mailbox of what is kept there. */
export function seqOf({ delivery }: WireEvent, data: Numbered, offset: string | undefined): number | undefined {
  return data.notification?.seq ?? (delivery === 'keep' ? parseOffset(offset)?.seq : undefined);
}

/** Which parts of an event are new. */
export interface Admission {
  event: boolean;
  item: boolean;
}

/**
 * How far the events of a user were handled: the mailbox and the announcements by number, states by version. What is at
 * or below that came before and is dropped, whatever way it comes.
 */
export class Positions {
  #epoch: string | undefined;
  #seq: number | undefined;
  #announcement = 0;
  readonly #versions = new Map<string, number>();

  /** Of the mailbox; undefined as long as nothing is known of it. */
  get seq(): number | undefined {
    return this.#seq;
  }

  get announcement(): number {
    return this.#announcement;
  }

  admit(wire: WireEvent, data: Numbered, offsetText?: string): Admission {
    const offset = parseOffset(offsetText);
    if (offset) this.#enter(offset, wire, data);
    const item = this.#isNewItem(wire, data, offsetText);
    if (wire.delivery === 'state')
      return { event: this.#isNewState(wire, data), item: item && data.notification !== undefined };
    return { event: item, item: item && data.notification !== undefined };
  }

  // Another epoch is another history: its numbers have nothing to do with those before.
  #enter({ epoch, seq, announcement }: Offset, wire: WireEvent, data: Numbered): void {
    if (this.#epoch === epoch) return;
    if (this.#epoch !== undefined) {
      this.#seq = undefined;
      this.#announcement = 0;
      this.#versions.clear();
    }
    this.#epoch = epoch;
    this.#seq ??= wire.delivery === 'keep' ? seq - 1 : seq;
    // Announcements up to there were live before it began: the inbox has them, and they are no news.
    const before = wire.delivery === 'log' ? Math.min(announcement, (data.announcementSeq ?? 1) - 1) : announcement;
    this.#announcement = Math.max(this.#announcement, before);
  }

  #isNewItem(wire: WireEvent, data: Numbered, offset: string | undefined): boolean {
    if (wire.delivery === 'log') {
      const seq = data.announcementSeq ?? 0;
      if (seq <= this.#announcement) return false;
      this.#announcement = seq;
      return true;
    }
    // A recall of an announcement has no number in the mailbox; whoever is told twice what changed is none the worse.
    const seq = wire.name === 'inboxChanged' ? undefined : seqOf(wire, data, offset);
    if (seq === undefined) return true;
    if (this.#seq !== undefined && seq <= this.#seq) return false;
    this.#seq = seq;
    return true;
  }

  #isNewState({ name }: WireEvent, { version, walletId, transferId }: Numbered): boolean {
    if (version === undefined) return true;
    const key = `${name} ${walletId ?? transferId ?? ''}`;
    const known = this.#versions.get(key);
    if (known !== undefined && version <= known) return false;
    this.#versions.set(key, version);
    return true;
  }
}
