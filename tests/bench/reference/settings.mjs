// What the three programs of the reference agree on; ../run.sh starts them with it.

export const STREAM = 'events';
export const GROUP = 'notifications';
export const BATCH = 500;

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export const redisUrl = () => required('REDIS_URL');
export const databaseUrl = () => required('DATABASE_URL');
export const keyFile = () => required('KEY_FILE');
export const port = () => Number(required('PORT'));

export const room = (user) => `user:${user}`;
export const counters = (user) => `unread:${user}`;
