// node publish.mjs USERS EVENTS: payments into the stream, as fast as Redis takes them, in turn for each user.
import { Redis } from 'ioredis';
import { STREAM, redisUrl } from './settings.mjs';

const CHUNK = 1000;

const [users, events] = process.argv.slice(2).map(Number);
const redis = new Redis(redisUrl());

function payment(number) {
  return JSON.stringify({
    amount: 12.34,
    currency: 'EUR',
    message: `due ${number} 0 `,
    status: 'completed',
    timestamp: new Date().toISOString(),
  });
}

for (let number = 0; number < events; ) {
  const chunk = redis.pipeline();
  for (const end = Math.min(events, number + CHUNK); number < end; number++) {
    chunk.xadd(STREAM, '*', 'id', `bench-${number}`, 'user', `user-${number % users}`, 'type', 'payment', 'data', payment(number));
  }
  for (const [error] of await chunk.exec()) {
    if (error) throw error;
  }
}
await redis.quit();
