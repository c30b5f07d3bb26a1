// The consumer: stream -> PostgreSQL and counters -> Socket.IO servers, 500 events at a time, at least once.
//
// It is meant to be as good as such a program is: one INSERT for a batch, commands to Redis pipelined, the next batch read
// while this one is written. What it lacks against ww-notifications is not counted against it: two of them would not
// keep a user's events in order, a crash between commit and XACK counts and shows a batch twice, and what is published while a
// server is away from Redis is gone.
import { Redis } from 'ioredis';
import { Emitter } from '@socket.io/redis-emitter';
import pg from 'pg';
import { BATCH, GROUP, STREAM, counters, databaseUrl, redisUrl, room } from './settings.mjs';

// In the role's own schema, which is there already and which its search path finds.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS notifications (
    id bigserial PRIMARY KEY,
    user_id text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    priority text NOT NULL,
    title text NOT NULL,
    text text NOT NULL,
    data jsonb NOT NULL,
    read boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    UNIQUE (user_id, event_id)
  );
  CREATE INDEX IF NOT EXISTS notifications_by_user ON notifications (user_id, id);
  CREATE INDEX IF NOT EXISTS notifications_unread ON notifications (user_id, id) WHERE NOT read;`;

// A name, so that it is prepared once.
const INSERT = {
  name: 'insert',
  text: `INSERT INTO notifications (user_id, event_id, type, priority, title, text, data, created_at)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])
    ON CONFLICT DO NOTHING RETURNING event_id, id`,
};

const reader = new Redis(redisUrl());
// Commands of one turn of the loop leave in one write.
const redis = new Redis(redisUrl(), { enableAutoPipelining: true });
const emitter = new Emitter(redis);
const db = new pg.Client({ connectionString: databaseUrl() });
let stopping = false;

async function prepare() {
  await db.connect();
  await db.query(SCHEMA);
  await reader.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM').catch((error) => {
    if (!error.message.startsWith('BUSYGROUP')) throw error;
  });
}

// [[stream, [[entry, [field, value, ...]], ...]]]
function decode([entry, fields]) {
  const [, id, , user, , type, , json] = fields;
  const data = JSON.parse(json);
  return {
    entry, id, user, type, json, data,
    priority: 'normal',
    title: 'Payment completed',
    text: `Your payment of ${data.amount} ${data.currency} is complete.`,
  };
}

async function read() {
  const reply = await reader.xreadgroup('GROUP', GROUP, 'one', 'COUNT', BATCH, 'BLOCK', 500, 'STREAMS', STREAM, '>');
  return reply ? reply[0][1].map(decode) : [];
}

// The new ones; one that comes again is there already.
async function store(events) {
  const column = (name) => events.map((event) => event[name]);
  await db.query('BEGIN');
  try {
    const { rows } = await db.query(INSERT, [
      column('user'), column('id'), column('type'), column('priority'), column('title'), column('text'), column('json'),
      events.map((event) => event.data.timestamp),
    ]);
    await db.query('COMMIT');
    const ids = new Map(rows.map((row) => [row.event_id, row.id]));
    return events.filter((event) => ids.has(event.id)).map((event) => Object.assign(event, { seq: Number(ids.get(event.id)) }));
  } catch (error) {
    await db.query('ROLLBACK');
    throw error;
  }
}

async function tell(events) {
  const unread = await Promise.all(events.map((event) => redis.incr(counters(event.user))));
  events.forEach(({ id, user, type, data, priority, title, text, seq }, i) => {
    emitter.to(room(user)).emit(type, {
      id,
      ...data,
      notification: { id, seq, type, priority, title, text, unread: unread[i], createdAt: data.timestamp },
    });
  });
}

async function apply(events) {
  if (events.length === 0) return;
  await tell(await store(events));
  await redis.xack(STREAM, GROUP, ...events.map((event) => event.entry));
}

process.on('SIGTERM', () => {
  stopping = true;
});

await prepare();
console.log('ready');
for (let next = read(); !stopping; ) {
  const events = await next;
  next = read();
  await apply(events);
}
process.exit(0);
