// node announcer.mjs: an event to every socket for each line "<number> <microseconds>" of its standard input. What
// bench_announcer does for ours, but nothing is stored.
import { createInterface } from 'node:readline';
import { Emitter } from '@socket.io/redis-emitter';
import { Redis } from 'ioredis';
import { redisUrl } from './settings.mjs';

const redis = new Redis(redisUrl());
const emitter = new Emitter(redis);

for await (const line of createInterface({ input: process.stdin })) {
  const number = line.split(' ')[0];
  emitter.emit('announcement', {
    id: `bench-${number}`,
    announcementSeq: Number(number) + 1,
    title: 'Maintenance tonight',
    text: `due ${line} `,
    priority: 'normal',
    unread: Number(number) + 1,
  });
}
await redis.quit();
