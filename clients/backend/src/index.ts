export { type Responder, type WalletsOf } from './balances.js';
export { type CallOptions, type Published } from './connection.js';
export { BackendError, type BackendErrorCode } from './errors.js';
export { type Kind } from './events.js';
export type * from './inputs.js';
export { type Amount } from './money.js';
export { type BackendOptions, type FriendsChange, type NotifyOptions, RealtimeNotifications } from './notifications.js';
