import { describe, expect, test } from 'vitest';

import { WIRE_EVENTS, type WireEvent } from '../src/generated/events.js';
import { type Numbered, Positions } from '../src/positions.js';

function admit(positions: Positions, name: string, data: Numbered, offset?: string): boolean {
  return positions.admit(WIRE_EVENTS[name] as WireEvent, data, offset).event;
}
const item = (seq: number): Numbered => ({ notification: { seq } });

describe('the mailbox', () => {
  test('what is at or below the position is dropped, whatever its kind', () => {
    const positions = new Positions();
    expect(admit(positions, 'payment', item(5))).toBe(true);
    expect(admit(positions, 'payment', item(5))).toBe(false);
    expect(admit(positions, 'kyc:update', item(4))).toBe(false);
    expect(admit(positions, 'kyc:update', item(7))).toBe(true);
  });

  test('chat messages have their number in the offset', () => {
    const positions = new Positions();
    expect(admit(positions, 'chat:message', {}, 't.e.5.0')).toBe(true);
    expect(admit(positions, 'chat:message', {}, 't.e.5.0')).toBe(false);
    expect(admit(positions, 'payment', item(6), 't.e.6.0')).toBe(true);
  });

  test('the first offset says where it begins, and states do not move it', () => {
    const positions = new Positions();
    admit(positions, 'notifications:unread', { version: 1 }, 't.e.10.0');
    expect(positions.seq).toBe(10);
    admit(positions, 'notifications:unread', { version: 2 }, 't.e.12.0');
    expect(positions.seq).toBe(10);
    expect(admit(positions, 'payment', item(10), 't.e.12.0')).toBe(false);
  });

  test('another epoch is another history', () => {
    const positions = new Positions();
    admit(positions, 'payment', item(100), 't.old.100.0');
    admit(positions, 'notifications:unread', { version: 50 }, 't.old.100.0');
    expect(admit(positions, 'notifications:unread', { version: 3 }, 't.new.2.0')).toBe(true);
    expect(admit(positions, 'payment', item(3), 't.new.3.0')).toBe(true);
  });
});

describe('states', () => {
  test('a version counts once, for each wallet', () => {
    const positions = new Positions();
    expect(admit(positions, 'balance:update', { walletId: 'a', version: 2 })).toBe(true);
    expect(admit(positions, 'balance:update', { walletId: 'a', version: 2 })).toBe(false);
    expect(admit(positions, 'balance:update', { walletId: 'a', version: 1 })).toBe(false);
    expect(admit(positions, 'balance:update', { walletId: 'b', version: 1 })).toBe(true);
  });

  test('the end of a transfer that was seen as a state is an item all the same', () => {
    const positions = new Positions();
    const wire = WIRE_EVENTS['transfer:update'] as WireEvent;
    expect(positions.admit(wire, { transferId: 't', version: 3 })).toEqual({ event: true, item: false });
    expect(positions.admit(wire, { transferId: 't', version: 3, ...item(1) })).toEqual({ event: false, item: true });
  });
});

test('announcements have numbers of their own', () => {
  const positions = new Positions();
  expect(admit(positions, 'announcement', { announcementSeq: 1, ...item(0) })).toBe(true);
  expect(admit(positions, 'announcement', { announcementSeq: 1, ...item(0) })).toBe(false);
  expect(positions.announcement).toBe(1);
});

test('announcements from before it began are no news, whatever comes first', () => {
  const positions = new Positions();
  admit(positions, 'notifications:unread', { version: 1 }, 't.e.10.7');
  expect(positions.announcement).toBe(7);
  expect(admit(positions, 'announcement', { announcementSeq: 7 }, 't.e.10.7')).toBe(false);
  expect(admit(positions, 'announcement', { announcementSeq: 8 }, 't.e.10.8')).toBe(true);
  const first = new Positions();
  expect(admit(first, 'announcement', { announcementSeq: 8 }, 't.e.10.8')).toBe(true);
  admit(first, 'payment', item(1), 't.new.1.2');
  expect(first.announcement).toBe(2);
});
