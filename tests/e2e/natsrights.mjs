// Who may say and hear what on NATS, written down from docs/architecture.md by hand: the server's configuration is
// made of proto/subjects.def, so that a mistake there would agree with itself.

export const USERS = ['backend', 'chat', 'notifications', 'edge', 'presence', 'audit', 'ops'];

const KINDS = ['balance', 'transaction', 'transfer', 'payment', 'deposit', 'withdrawal', 'security', 'limit', 'kyc', 'card', 'announcement'];

const RECORDERS = ['edge', 'notifications', 'chat', 'presence', 'audit', 'ops'];

// `pattern`: as docs/subjects.md has it. `subjects`: examples of it. `stored`: by a stream, whose consumer it is read through.
export const ARROWS = [
  // Flow 1: an event becomes a notification on a screen
  { pattern: 'ww.event.*', subjects: KINDS.map((kind) => `ww.event.${kind}`), from: ['backend'], to: ['notifications'], stored: true },
  { pattern: 'ww.event.chat', from: ['chat'], to: ['notifications'], stored: true },
  { pattern: 'ww.rt.user.*', subjects: ['ww.rt.user.alice'], from: ['notifications'], to: ['edge', 'ops'] },
  { pattern: 'ww.rt.all', from: ['notifications'], to: ['edge', 'ops'] },
  { pattern: 'ww.dlq.event', from: ['notifications', 'ops'], to: ['ops'], stored: true },
  // Who did what: each under its own name
  { pattern: 'ww.audit.*', subjects: [], from: RECORDERS, to: ['audit'], stored: true },
  ...RECORDERS.map((user) => ({ subjects: [`ww.audit.${user}`], from: [user], to: [], stored: true })),
  { pattern: 'ww.heads.audit', from: ['audit'], to: ['ops'], stored: true },
  { pattern: 'ww.svc.audit.*', subjects: ['ww.svc.audit.erase', 'ww.svc.audit.export'], from: ['ops'], to: ['audit'] },
  // An edge shows operators how each service is, and asks ww-audit for nothing else
  { pattern: 'ww.svc.audit.stats', from: ['edge', 'ops'], to: ['audit'], row: { from: ['edge'] } },
  { pattern: 'ww.backend.audit.*', subjects: ['ww.backend.audit.verify'], from: ['ops'], to: ['audit'] },
  // Flow 2: a client asks
  ...['notifications', 'chat', 'presence'].flatMap((service) => [
    { pattern: `ww.svc.${service}.*`, subjects: [`ww.svc.${service}.stats`, `ww.svc.${service}.erase`], from: ['edge', 'ops'], to: [service] },
    { pattern: `ww.backend.${service}.*`, subjects: [`ww.backend.${service}.erase`, `ww.backend.${service}.revoke`], from: ['backend', 'ops'], to: [service] },
  ]),
  { pattern: 'ww.svc.presence.friends_among', from: ['edge', 'ops', 'chat'], to: ['presence'], row: { from: ['chat'] } },
  { pattern: 'ww.backend.notifications.balance_get', from: ['notifications', 'backend', 'ops'], to: ['backend', 'notifications'], row: { from: ['notifications'], to: ['backend'] } },
  // Flow 3: a request lands at another edge; operators drain and ask edges
  { pattern: 'ww.edge.*.*', subjects: ['ww.edge.e1.poll', 'ww.edge.e1.drain', 'ww.edge.e1.stats'], from: ['edge', 'ops'], to: ['edge'] },
  // Flow 4: a friend comes online
  { pattern: 'ww.presence.report.*', subjects: ['ww.presence.report.e1'], from: ['edge'], to: ['presence'] },
  { pattern: 'ww.rt.presence.*', subjects: ['ww.rt.presence.e1'], from: ['presence'], to: ['edge'] },
  { pattern: 'ww.presence.changed', from: ['presence'], to: ['presence'] },
  // Flow 5: a line of chat
  { pattern: 'ww.chat.changed', from: ['chat'], to: ['chat'] },
  { pattern: 'ww.rt.room.*', subjects: ['ww.rt.room.r1'], from: ['chat'], to: ['edge', 'ops'] },
  // What nobody may
  ...['ww.event.gossip', 'ww.event', 'ww.event.kyc.more', 'ww.event.KYC', 'ww.heads.other', 'ww.audit.backend', 'ww.audit.nobody', 'ww.dlq.other', 'ww.rt.everybody', 'ww.rt.user', 'ww.rt.user.alice.more', 'ww.svc.chat.send.more', 'ww.edge.e1.poll.more', 'ww.svc.nobody.stats',
    'ww', 'WW.rt.all', 'other.rt.all', '$SRV.PING', '$SRV.INFO.chat', '$SYS.REQ.SERVER.PING', '$SYS.REQ.ACCOUNT.APP.JSZ', '$SYS.REQ.SERVER.PING.CONNZ', '$SYS.ACCOUNT.APP.CONNECT', '_INBOX', '_INBOX.x', '_R_.x'].map(
    (subject) => ({ subjects: [subject], from: [], to: [] }),
  ),
];

export const subjectsOf = ({ subjects, pattern }) => subjects ?? [pattern];

// Whose questions each of them answers, so into whose inboxes it may write.
export const ANSWERS = {
  backend: ['notifications'],
  chat: ['edge', 'ops', 'backend'],
  notifications: ['edge', 'ops', 'backend'],
  edge: ['edge', 'ops'],
  presence: ['edge', 'ops', 'backend', 'chat'],
  audit: ['edge', 'ops'],
  ops: [],
};

// Subscriptions to many things at once. Whoever may is named.
export const WIDE = {
  'ww.rt.user.*': ['edge', 'ops'],
  // nats-server 2.9 takes `>` where a list has `*`. Nothing is ever published that deep: nobody may, below.
  'ww.rt.user.>': ['edge', 'ops'],
  'ww.rt.room.*': ['edge', 'ops'],
  'ww.rt.presence.*': ['edge'],
  'ww.presence.report.*': ['presence'],
  'ww.svc.chat.*': ['chat'],
  'ww.svc.notifications.*': ['notifications'],
  'ww.svc.presence.*': ['presence'],
  'ww.backend.chat.*': ['chat'],
  'ww.backend.notifications.*': ['notifications'],
  'ww.backend.presence.*': ['presence'],
  'ww.svc.audit.*': ['audit'],
  'ww.backend.audit.*': ['audit'],
  'ww.edge.*.*': ['edge'],
  ...Object.fromEntries(
    ['>', '*', '*.>', '*.*', '*.*.*', 'ww.>', 'ww.*', 'ww.*.*', 'ww.*.>', 'ww.rt.>', 'ww.rt.*', 'ww.rt.*.*', 'ww.event.*', 'ww.event.>', 'ww.audit.*', 'ww.dlq.>', 'ww.svc.>', 'ww.svc.*.*', 'ww.backend.>',
      'ww.backend.*.*', 'ww.edge.>', '_INBOX.>', '_INBOX.*', '_INBOX.*.>', '$JS.>', '$JS.API.>', '$JS.ACK.>', '$JS.EVENT.>', '$JS.EVENT.ADVISORY.>', '$KV.>', '$KV.ww_revoked.>', '$KV.ww_tracking.>', '$KV.ww_edges.>', '$SYS.>',
      '$SYS.ACCOUNT.>', '$SRV.>', '$G.>'].map((subject) => [subject, []]),
  ),
};

/* ---- JetStream ---- */

export const STREAMS = ['WW_EVENTS', 'WW_AUDIT', 'WW_AUDIT_HEADS', 'WW_DLQ', 'KV_ww_edges', 'KV_ww_revoked', 'KV_ww_tracking'];
const BUCKETS = ['ww_edges', 'ww_revoked', 'ww_tracking'];
const CONSUMERS = ['notifications', 'audit', 'stranger'];

const OF_STREAM = ['CREATE', 'UPDATE', 'INFO', 'DELETE', 'PURGE', 'MSG.GET', 'MSG.DELETE', 'SNAPSHOT', 'RESTORE', 'LEADER.STEPDOWN', 'PEER.REMOVE'];
const OF_CONSUMER = ['CONSUMER.CREATE', 'CONSUMER.DURABLE.CREATE', 'CONSUMER.INFO', 'CONSUMER.DELETE', 'CONSUMER.MSG.NEXT', 'CONSUMER.LEADER.STEPDOWN'];

export const API = [
  ...STREAMS.flatMap((stream) => [
    ...OF_STREAM.map((verb) => `$JS.API.STREAM.${verb}.${stream}`),
    ...OF_CONSUMER.flatMap((verb) => CONSUMERS.map((consumer) => `$JS.API.${verb}.${stream}.${consumer}`)),
    ...['CREATE', 'LIST', 'NAMES'].map((verb) => `$JS.API.CONSUMER.${verb}.${stream}`),
    `$JS.API.CONSUMER.CREATE.${stream}.stranger.ww.event.kyc`,
    `$JS.API.DIRECT.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}.ww.event.kyc`,
    `$JS.FC.${stream}.notifications.x`,
    ...CONSUMERS.map((consumer) => `$JS.ACK.${stream}.${consumer}.1.1.1.1.0`),
    `$JS.API.ACCOUNT.STREAM.MOVE.APP.${stream}`,
    `$JS.API.ACCOUNT.STREAM.CANCEL_MOVE.APP.${stream}`,
  ]),
  ...BUCKETS.map((bucket) => `$KV.${bucket}.key`),
  '$KV.other.key',
  ...['INFO', 'STREAM.NAMES', 'STREAM.LIST', 'STREAM.CREATE.OTHER', 'STREAM.TEMPLATE.CREATE.x', 'STREAM.TEMPLATE.DELETE.x', 'STREAM.TEMPLATE.NAMES', 'STREAM.TEMPLATE.INFO.x'].map((verb) => `$JS.API.${verb}`),
  ...['ACCOUNT.PURGE.APP', 'ACCOUNT.PURGE.SYS', 'ACCOUNT.PURGE.OTHER', 'SERVER.REMOVE', 'META.LEADER.STEPDOWN', 'SERVER.STREAM.PURGE'].map((verb) => `$JS.API.${verb}`),
  '$JS.hub.API.STREAM.PURGE.WW_EVENTS',
  '$JS.EVENT.ADVISORY.API',
];

const pulled = (stream, consumer) => [`$JS.API.CONSUMER.INFO.${stream}.${consumer}`, `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, `$JS.ACK.${stream}.${consumer}.1.1.1.1.0`];
const watched = (bucket) => ['STREAM.MSG.GET', 'DIRECT.GET', 'CONSUMER.CREATE'].map((verb) => `$JS.API.${verb}.KV_${bucket}`).concat(`$JS.API.DIRECT.GET.KV_${bucket}.ww.event.kyc`);

// Everything of JetStream that somebody may.
export const API_RIGHTS = {
  backend: [],
  chat: [],
  presence: [],
  notifications: [...pulled('WW_EVENTS', 'notifications'), '$KV.ww_revoked.key'],
  // Whether anything was taken out by somebody else
  audit: [...pulled('WW_AUDIT', 'audit'), '$JS.API.STREAM.INFO.WW_AUDIT', '$JS.API.STREAM.MSG.GET.WW_AUDIT'],
  edge: [...BUCKETS.flatMap(watched), '$KV.ww_tracking.key', '$KV.ww_edges.key', '$JS.API.CONSUMER.INFO.WW_EVENTS.notifications', '$JS.API.CONSUMER.INFO.WW_AUDIT.audit'],
  ops: [
    ...BUCKETS.flatMap(watched),
    '$KV.ww_tracking.key',
    // ww dlq
    ...['STREAM.MSG.DELETE.WW_DLQ', 'CONSUMER.CREATE.WW_DLQ', ...CONSUMERS.map((consumer) => `CONSUMER.MSG.NEXT.WW_DLQ.${consumer}`)].map((verb) => `$JS.API.${verb}`),
    // ww audit heads
    ...['CONSUMER.CREATE.WW_AUDIT_HEADS', ...CONSUMERS.map((consumer) => `CONSUMER.MSG.NEXT.WW_AUDIT_HEADS.${consumer}`)].map((verb) => `$JS.API.${verb}`),
    // ww provision
    ...['INFO', 'STREAM.NAMES', 'STREAM.LIST', 'STREAM.CREATE.OTHER'].map((verb) => `$JS.API.${verb}`),
    ...STREAMS.flatMap((stream) => [
      ...['STREAM.CREATE', 'STREAM.INFO', 'STREAM.MSG.GET', 'CONSUMER.LIST', 'CONSUMER.NAMES'].map((verb) => `$JS.API.${verb}.${stream}`),
      ...CONSUMERS.flatMap((consumer) => [`$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${consumer}`, `$JS.API.CONSUMER.INFO.${stream}.${consumer}`]),
    ]),
  ],
};
