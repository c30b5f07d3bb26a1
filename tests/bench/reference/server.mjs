// A Socket.IO server as they are run behind a Redis: signed-in users in a room each.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { keyFile, port, redisUrl, room } from './settings.mjs';

const key = readFileSync(keyFile());

// The user of an HS256 token; throws for any other.
function userOf(token) {
  const [header, claims, signature] = token.split('.');
  const expected = createHmac('sha256', key).update(`${header}.${claims}`).digest();
  const { sub, exp } = JSON.parse(Buffer.from(claims, 'base64url'));
  if (!timingSafeEqual(expected, Buffer.from(signature, 'base64url')) || exp * 1000 < Date.now()) throw new Error('unauthorized');
  return sub;
}

const io = new Server({ transports: ['websocket', 'polling'] });
const redis = new Redis(redisUrl());
io.adapter(createAdapter(redis, redis.duplicate()));
io.use((socket, next) => {
  try {
    socket.data.user = userOf(socket.handshake.auth.token);
    next();
  } catch (error) {
    next(error);
  }
});
io.on('connection', (socket) => socket.join(room(socket.data.user)));
io.listen(port());
console.log('ready');

process.on('SIGTERM', () => process.exit(0));
