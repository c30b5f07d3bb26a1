// For each alert what makes it fire, and what only nearly does: series as promtool writes them, a value each half minute
// for half an hour.

const on = (instance) => `{job="walletwire",instance="${instance}"}`;
const of = (name, instance = 'a', label = '') => `${name}{job="walletwire",instance="${instance}"${label && `,${label}`}}`;

const flat = (value) => `${value}x60`;
/** So much more each half minute. */
const rising = (by) => `0+${by}x60`;
/** That much more at once, minutes before the end. */
const step = (by, minutes = 1) => `0x${59 - 2 * minutes} ${by}x${2 * minutes}`;
/** Something else for the last minutes. */
const lately = (before, after, minutes) => `${before}x${59 - 2 * minutes} ${after}x${2 * minutes}`;

/** There, and then gone, as with its pod: half of the time each. */
const gone = (value) => `${value}x29 _x29`;

const trouble = (cause) => of('ww_notifications_trouble', 'n1', `cause="${cause}"`);
const closes = (reason, instance = 'e1') => of('ww_edge_closes_total', instance, `reason="${reason}"`);
const calls = (status) => of('ww_edge_calls_total', 'e1', `status="${status}"`);
const refusals = (reason) => of('ww_edge_connect_refusals_total', 'e1', `reason="${reason}"`);
const recoveries = (outcome) => of('ww_edge_recoveries_total', 'e1', `outcome="${outcome}"`);
const questions = (status) => of('ww_notifications_balance_questions_total', 'n1', `status="${status}"`);
const MIB = 2 ** 20;

/** A histogram in which all took `le` at most, a hundred each half minute. */
const latency = (le) =>
  Object.fromEntries(['1.048576', '4.194304', '+Inf'].map((bound) => [of('ww_edge_event_latency_seconds_bucket', 'e1', `le="${bound}"`), rising(Number(bound === '+Inf' ? 1e9 : bound) >= le ? 100 : 0)]));

/** name -> { fires, quiet }; a list where it fires for more than one reason. */
export const CASES = {
  WalletwireDown: {
    fires: { 'up{job="walletwire/walletwire",instance="a"}': lately(1, 0, 3) },
    quiet: { [`up${on('a')}`]: lately(1, 0, 1), 'up{job="other",instance="a"}': flat(0) },
  },
  WalletwireNotReady: {
    fires: { [of('ww_ready')]: lately(1, 0, 6) },
    quiet: { [of('ww_ready')]: lately(1, 0, 4), [of('ww_ready', 'e1')]: flat(0), [of('ww_edge_draining', 'e1')]: flat(1) },
  },
  WalletwireRestarts: {
    fires: { [of('process_start_time_seconds')]: '1x40 2x5 3x5 4x10' },
    quiet: { [of('process_start_time_seconds')]: '1x40 2x5 3x15' },
  },
  WalletwireMemory: {
    fires: { [of('process_resident_memory_bytes', 'n1')]: flat(201 * MIB) },
    quiet: {
      [of('process_resident_memory_bytes', 'n1')]: flat(199 * MIB),
      [of('process_resident_memory_bytes', 'e1')]: flat(599 * MIB),
      [of('ww_edge_sockets', 'e1')]: flat(18000),
    },
  },
  WalletwireRequestsRefused: {
    fires: { [of('ww_service_requests_refused_total')]: rising(1) },
    quiet: { [of('ww_service_requests_refused_total')]: step(500, 3) },
  },
  WalletwireNoEdge: {
    fires: { [of('ww_edge_draining', 'e1')]: flat(1), [of('ww_ready', 'e1')]: flat(0), [of('ww_ready', 'n1')]: flat(1) },
    quiet: { [of('ww_edge_draining', 'e1')]: flat(0), [of('ww_ready', 'e1')]: flat(1) },
  },
  WalletwireEdgeFull: {
    fires: { [of('ww_edge_handshakes_refused_total', 'e1', 'reason="full"')]: step(3) },
    quiet: { [of('ww_edge_handshakes_refused_total', 'e1', 'reason="rate_limited"')]: rising(50) },
  },
  WalletwireDescriptors: {
    fires: { [of('ww_edge_sockets', 'e1')]: flat(16001), [of('process_max_fds', 'e1')]: flat(20000) },
    quiet: { [of('ww_edge_sockets', 'e1')]: flat(15999), [of('process_max_fds', 'e1')]: flat(20000), [of('process_max_fds', 'n1')]: flat(1024) },
  },
  WalletwireLoopLag: {
    fires: { [of('ww_edge_loop_lag_microseconds', 'e1')]: flat(300_000) },
    quiet: { [of('ww_edge_loop_lag_microseconds', 'e1')]: lately(1000, 300_000, 3) },
  },
  WalletwireRequestsFail: {
    fires: { [calls('ok')]: rising(90), [calls('unavailable')]: rising(3), [calls('timeout')]: rising(4) },
    quiet: { [calls('ok')]: rising(96), [calls('unavailable')]: rising(4), [calls('forbidden')]: rising(50) },
  },
  WalletwireReconnects: {
    fires: { [of('ww_edge_connects_total', 'e1')]: rising(600), [of('ww_edge_sockets', 'e1')]: flat(1000) },
    quiet: { [of('ww_edge_connects_total', 'e1')]: rising(600), [of('ww_edge_sockets', 'e1')]: flat(10_000) },
  },
  WalletwireRecoveryFails: {
    fires: { [recoveries('recovered')]: rising(70), [recoveries('too_many')]: rising(15), [recoveries('too_old')]: rising(15) },
    quiet: { [recoveries('recovered')]: rising(85), [recoveries('too_many')]: rising(15) },
  },
  WalletwireHistoryChanged: {
    fires: { [closes('resync')]: step(1) },
    quiet: { [closes('resync')]: step(1, 10), [closes('drain')]: rising(100) },
  },
  WalletwireEvictions: {
    fires: { [closes('evicted')]: rising(10), [of('ww_edge_sockets', 'e1')]: flat(1000) },
    quiet: { [closes('evicted')]: rising(10), [of('ww_edge_sockets', 'e1')]: flat(10_000) },
  },
  WalletwireRefusals: {
    fires: { [refusals('expired')]: rising(60), [of('ww_edge_connects_total', 'e1')]: rising(30) },
    quiet: { [refusals('expired')]: rising(60), [of('ww_edge_connects_total', 'e1')]: rising(90) },
  },
  WalletwireTokenKeys: {
    fires: { [refusals('key')]: rising(10) },
    quiet: { [refusals('signature')]: rising(3), [refusals('expired')]: rising(100), [of('ww_edge_connects_total', 'e1')]: rising(900) },
  },
  WalletwireNoApplier: {
    fires: { [of('ww_notifications_applier', 'n1')]: flat(0), [of('ww_notifications_applier', 'n2')]: flat(0) },
    quiet: { [of('ww_notifications_applier', 'n1')]: flat(0), [of('ww_notifications_applier', 'n2')]: flat(1) },
  },
  WalletwirePostgresTrouble: {
    fires: { [trouble('postgres_disk')]: lately(0, 1, 2), [trouble('none')]: lately(1, 0, 2) },
    quiet: { [trouble('postgres_disk')]: flat(0), [trouble('nats_down')]: flat(1), [trouble('none')]: flat(1) },
  },
  WalletwireNatsTrouble: {
    fires: { [trouble('nats_down')]: flat(1) },
    quiet: { [trouble('nats_down')]: lately(0, 1, 0.5), [trouble('postgres_down')]: flat(1) },
  },
  WalletwireEventsBlocked: {
    fires: { [trouble('dead_letters')]: flat(1) },
    quiet: { [trouble('event')]: lately(0, 1, 1), [trouble('starting')]: flat(1) },
  },
  WalletwireEventsBehind: {
    fires: { [of('ww_notifications_waiting', 'n1')]: rising(50), [of('ww_notifications_waiting', 'n2')]: flat(0) },
    quiet: { [of('ww_notifications_waiting', 'n1')]: '9000-100x60', [of('ww_notifications_waiting', 'n2')]: flat(900) },
  },
  WalletwireDeadLetters: {
    fires: { [of('ww_notifications_dlq_total', 'n1')]: step(1) },
    quiet: { [of('ww_notifications_dlq_total', 'n1')]: flat(7) },
  },
  WalletwireStreamGap: {
    fires: { [of('ww_notifications_gaps_total', 'n1')]: step(1, 10) },
    quiet: { [of('ww_notifications_gaps_total', 'n1')]: flat(2) },
  },
  WalletwireDeliverySlow: { fires: latency(4), quiet: latency(1) },
  WalletwireSlowClients: {
    fires: { [closes('slow_consumer')]: rising(3), [of('ww_edge_sockets', 'e1')]: flat(1000) },
    quiet: { [closes('slow_consumer')]: rising(3), [of('ww_edge_sockets', 'e1')]: flat(5000), [closes('slow_consumer', 'e2')]: rising(0.5), [of('ww_edge_sockets', 'e2')]: flat(10) },
  },
  WalletwireQueues: {
    fires: { [of('ww_edge_queue_bytes', 'e1')]: flat(201 * MIB) },
    quiet: { [of('ww_edge_queue_bytes', 'e1')]: lately(0, 300 * MIB, 3) },
  },
  WalletwireDoorbellsLost: {
    fires: { [of('ww_edge_sweep_findings_total', 'e1')]: rising(2), [of('ww_edge_swept_users_total', 'e1')]: rising(100) },
    quiet: { [of('ww_edge_sweep_findings_total', 'e1')]: rising(1), [of('ww_edge_swept_users_total', 'e1')]: rising(1000) },
  },
  WalletwireBalancesUnanswered: {
    fires: { [questions('ok')]: rising(4), [questions('unavailable')]: rising(5) },
    quiet: { [questions('ok')]: rising(6), [questions('timeout')]: rising(5) },
  },
  WalletwireNatsSlow: {
    fires: { [of('ww_edge_nats_slow_reports_total', 'e1')]: step(1) },
    quiet: { [of('ww_edge_nats_slow_reports_total', 'e1')]: flat(4) },
  },
  WalletwireNatsReconnects: {
    fires: { [of('ww_edge_nats_reconnects_total', 'e1')]: step(5, 5) },
    quiet: { [of('ww_edge_nats_reconnects_total', 'e1')]: step(2, 5) },
  },
  WalletwireNatsQueue: {
    fires: { [of('ww_edge_nats_queue', 'e1')]: flat(1001) },
    quiet: { [of('ww_edge_nats_queue', 'e1')]: lately(0, 5000, 1) },
  },
  WalletwireOutboxBehind: {
    fires: [
      { [of('ww_outbox_oldest_seconds', 'o1')]: '0+5x60', [of('ww_outbox_active', 'o1')]: flat(1) },
      { [of('ww_outbox_oldest_seconds', 'o1')]: gone(0), [of('ww_outbox_active', 'o1')]: gone(1) },
      { [of('ww_outbox_active', 'o1')]: flat(0), [of('ww_outbox_active', 'o2')]: flat(0) },
    ],
    quiet: { [of('ww_outbox_oldest_seconds', 'o1')]: flat(59), [of('ww_outbox_active', 'o1')]: gone(1), [of('ww_outbox_active', 'o2')]: lately(0, 1, 14), [of('ww_chat_outbox_oldest_seconds', 'c1')]: flat(90) },
  },
  WalletwireOutboxDead: {
    fires: { [of('ww_outbox_dead', 'o1')]: flat(1), [of('ww_outbox_dead', 'o2')]: flat(0) },
    quiet: { [of('ww_outbox_dead', 'o1')]: flat(0) },
  },
  WalletwireChatOutboxBehind: {
    fires: [{ [of('ww_chat_outbox_oldest_seconds', 'c1')]: flat(61), [of('ww_chat_outbox_active', 'c1')]: flat(1) }, { [of('ww_chat_outbox_active', 'c1')]: gone(1) }],
    quiet: { [of('ww_chat_outbox_oldest_seconds', 'c1')]: lately(0, 61, 1), [of('ww_chat_outbox_active', 'c1')]: flat(1), [of('ww_chat_outbox_active', 'c2')]: gone(0) },
  },
  WalletwireChatUpkeep: {
    fires: { [of('ww_chat_failed_upkeep_total', 'c1')]: step(4, 10) },
    quiet: { [of('ww_chat_failed_upkeep_total', 'c1')]: step(1, 10) },
  },
  WalletwireNoSpeaker: {
    fires: { [of('ww_presence_speaker', 'p1')]: lately(1, 0, 3) },
    quiet: { [of('ww_presence_speaker', 'p1')]: flat(1), [of('ww_presence_speaker', 'p2')]: flat(0) },
  },
  WalletwirePresenceFails: {
    fires: { [of('ww_presence_failed_turns_total', 'p1')]: rising(6) },
    quiet: { [of('ww_presence_failed_turns_total', 'p1')]: rising(2) },
  },
  WalletwireAuditBroken: {
    fires: { [of('ww_ledger_broken', 'l1')]: flat(1) },
    quiet: { [of('ww_ledger_broken', 'l1')]: flat(0), [of('ww_ledger_active', 'l1')]: flat(1) },
  },
  WalletwireAuditLoss: {
    fires: { [of('ww_ledger_gaps_total', 'l1')]: step(1) },
    quiet: { [of('ww_ledger_gaps_total', 'l1')]: flat(1) },
  },
  WalletwireAuditUnreadable: {
    fires: { [of('ww_ledger_unreadable_total', 'l1')]: step(1) },
    quiet: { [of('ww_ledger_unreadable_total', 'l1')]: flat(3) },
  },
  WalletwireAuditHeads: {
    fires: { [of('ww_ledger_heads_failed_total', 'l1')]: step(1) },
    quiet: { [of('ww_ledger_heads_failed_total', 'l1')]: step(1, 20), [of('ww_ledger_heads_total', 'l1')]: rising(1) },
  },
  WalletwireAuditBehind: {
    fires: [
      { [of('ww_ledger_active', 'l1')]: flat(0), [of('ww_ledger_active', 'l2')]: flat(0), [of('ww_ledger_waiting', 'l1')]: flat(0) },
      { [of('ww_ledger_active', 'l1')]: gone(1), [of('ww_ledger_waiting', 'l1')]: gone(0) },
      { [of('ww_ledger_active', 'l1')]: flat(1), [of('ww_ledger_waiting', 'l1')]: flat(10_001) },
    ],
    quiet: { [of('ww_ledger_active', 'l1')]: flat(1), [of('ww_ledger_active', 'l2')]: flat(0), [of('ww_ledger_waiting', 'l1')]: flat(9999) },
  },
  WalletwireAuditOutboxBehind: {
    fires: { [of('ww_audit_oldest_seconds', 'n1')]: flat(61) },
    quiet: { [of('ww_audit_oldest_seconds', 'n1')]: lately(0, 300, 4) },
  },
  WalletwireAuditNotTold: {
    fires: { [of('ww_edge_audit_lost_total', 'e1', 'reason="not_stored"')]: step(2) },
    quiet: { [of('ww_edge_audit_lost_total', 'e1', 'reason="too_many"')]: rising(20) },
  },
};
