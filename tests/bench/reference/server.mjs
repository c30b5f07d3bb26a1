// A Socket.IO server as they are run behind a Redis: signed-in users in a room each.
import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { keyFile, port, redisUrl, room } from './settings.mjs';

const secret = readFileSync(keyFile());
let publicKey;

// Of ./dev bench connects, which makes it while we run.
function rsaKey() {
  const file = join(dirname(keyFile()), 'bench.rs256.pem');
  if (!publicKey && existsSync(file)) publicKey = createPublicKey(readFileSync(file));
  return publicKey;
}

const CHECKS = {
  HS256: (text, signature) => timingSafeEqual(createHmac('sha256', secret).update(text).digest(), signature),
  RS256: (text, signature) => verify('sha256', Buffer.from(text), rsaKey(), signature),
};

// The user of a token; throws for any other.
function userOf(token) {
  const [header, claims, signature] = token.split('.');
  const { alg } = JSON.parse(Buffer.from(header, 'base64url'));
  const { sub, exp } = JSON.parse(Buffer.from(claims, 'base64url'));
  if (!CHECKS[alg](`${header}.${claims}`, Buffer.from(signature, 'base64url')) || exp * 1000 < Date.now()) throw new Error('unauthorized');
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
