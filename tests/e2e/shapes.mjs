// The exact keys of what clients see: section 7 of the design, and docs/protocol.md.

import assert from 'node:assert/strict';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const SHAPES = {
  'balance:update': ['walletId', 'available_balance', 'pending_balance', 'currency', 'timestamp', 'version'],
  transaction: ['id', 'type', 'amount', 'currency', 'direction', 'status', 'counterparty', 'message', 'timestamp'],
  'transfer:update': ['transferId', 'state', 'progress', 'amount', 'currency', 'final', 'message', 'timestamp', 'version'],
  payment: ['id', 'status', 'amount', 'currency', 'message', 'timestamp'],
  deposit: ['id', 'status', 'amount', 'currency', 'message', 'timestamp'],
  withdrawal: ['id', 'status', 'amount', 'currency', 'message', 'timestamp'],
  'security:alert': ['severity', 'message', 'action', 'timestamp'],
  'limit:exceeded': ['limit', 'period', 'used', 'max', 'currency', 'message', 'timestamp'],
  'kyc:update': ['status', 'level', 'message', 'timestamp'],
  'card:activity': ['cardId', 'last4', 'type', 'merchant', 'amount', 'currency', 'message', 'timestamp'],
  announcement: ['id', 'announcementSeq', 'title', 'text', 'priority', 'expiresAt'],
  'notifications:unread': ['total', 'byType', 'byPriority', 'version'],
};

const NOTIFICATION = ['id', 'seq', 'type', 'priority', 'title', 'text', 'unread', 'createdAt'];

const WORDS = {
  'transaction.type': ['p2p_send', 'p2p_receive', 'deposit', 'withdrawal', 'payment'],
  'transaction.direction': ['incoming', 'outgoing'],
  'transaction.status': ['pending', 'completed', 'failed'],
  'payment.status': ['pending', 'completed', 'failed'],
  'deposit.status': ['pending', 'completed', 'failed'],
  'withdrawal.status': ['pending', 'completed', 'failed'],
  'security:alert.severity': ['low', 'medium', 'high', 'critical'],
};

// `leaveOut`: keys that stand for a sub-message, which may be absent.
function assertKeys(object, keys, leaveOut, what) {
  const wanted = keys.filter((key) => key in object || !leaveOut.includes(key));
  assert.deepEqual(Object.keys(object).sort(), [...wanted].sort(), `keys of ${what}: ${JSON.stringify(object)}`);
}

export function assertNotification(notification, { type, priority }) {
  assertKeys(notification, [...NOTIFICATION, 'expiresAt'], ['expiresAt'], `notification of ${type}`);
  assert.equal(notification.type, type);
  if (priority) assert.equal(notification.priority, priority);
  assert.match(notification.createdAt, ISO);
  assert.ok(Number.isInteger(notification.seq) && notification.seq > 0);
  assert.ok(Number.isInteger(notification.unread) && notification.unread > 0);
  assert.ok(notification.title.length > 0 && notification.text.length > 0, 'an inbox item has words');
}

export function assertUnread(unread) {
  assertKeys(unread, SHAPES['notifications:unread'], [], 'notifications:unread');
  const sum = (counts) => Object.values(counts).reduce((total, n) => total + n, 0);
  assert.equal(sum(unread.byType), unread.total, 'byType adds up');
  assert.equal(sum(unread.byPriority), unread.total, 'byPriority adds up');
}

// `inbox`: { type, priority } of the notification block, or null where there must be none.
export function assertShape(name, data, inbox, leaveOut = []) {
  const { notification, ...payload } = data;
  assertKeys(payload, SHAPES[name], leaveOut, name);
  if ('timestamp' in payload) assert.match(payload.timestamp, ISO);
  for (const [key, words] of Object.entries(WORDS)) {
    const [event, field] = [key.slice(0, key.lastIndexOf('.')), key.slice(key.lastIndexOf('.') + 1)];
    if (event === name) assert.ok(words.includes(payload[field]), `${key} is ${payload[field]}`);
  }
  if (name === 'transaction') assertKeys(payload.counterparty, ['userId', 'name'], [], 'counterparty');
  if (inbox) assertNotification(notification, inbox);
  else assert.equal(notification, undefined, `${name} has no notification block`);
}
