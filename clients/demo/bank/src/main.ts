// bank: plays the back end of a wallet for the demo. An example, see README.md.

import { type Server } from 'node:http';

import { RealtimeNotifications } from '@walletwire/backend';

import { Database } from './db.js';
import { happen } from './day.js';
import { describe, log } from './log.js';
import { Loop } from './loop.js';
import { type Bank } from './perform.js';
import { makeRoutes, type Opened } from './routes.js';
import { makeServer } from './server.js';
import { addressOf, readSettings, secretOf, type Settings, usage } from './settings.js';
import { balancesOf } from './state.js';
import { advanceTransfers } from './transfers.js';
import { befriend, open, tidy } from './upkeep.js';

const ADVANCE_MS = 250;
const STOP_WITHIN_MS = 8000;

/** What a stop has to end, in this order: the server first, then what works by itself, then what both use. */
const ending: (() => Promise<unknown>)[] = [];

async function start(settings: Settings): Promise<void> {
  const holder: { opened?: Opened } = {};
  await listen(makeServer(makeRoutes({ keysDir: settings['keys-dir'], opened: () => holder.opened })), settings.listen);

  // What can not be reached is waited for: services start in any order.
  const bank = await connect(settings);
  await untilOpen(bank, settings.day === 'running');
  holder.opened = startLoops(bank);
  log.info('the bank is open');
}

function startLoops(bank: Bank): Opened {
  const trouble = (what: string) => (error: unknown) => log.warn(`${what}, tried again: ${describe(error)}`);
  const transfers = new Loop(() => advance(bank), trouble('transfers stand still'));
  const day = new Loop(async () => {
    const nextMs = await happen(bank);
    transfers.wake(); // one may have begun
    return nextMs;
  }, trouble('the day goes on later'));
  const friends = new Loop(() => befriend(bank), trouble('the users are not friends yet'));
  const upkeep = new Loop(() => tidy(bank), trouble('old rows are kept'));
  for (const loop of [transfers, day, friends, upkeep]) {
    ending.splice(1, 0, () => loop.stop());
    loop.wake();
  }
  return { bank, day, transfers };
}

const advance = async ({ db }: Bank): Promise<number | undefined> =>
  (await advanceTransfers(db)) > 0 ? ADVANCE_MS : undefined;

async function listen(server: Server, address: string): Promise<void> {
  const { host, port } = addressOf(address);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  ending.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeIdleConnections();
      }),
  );
}

async function connect(settings: Settings): Promise<Bank> {
  const db = new Database(secretOf(settings['database-url-file']), (error) =>
    log.warn(`a connection was lost: ${describe(error)}`),
  );
  const pass = secretOf(settings['nats-password-file']);
  const services = await RealtimeNotifications.connect(
    { servers: settings['nats-url'], user: settings['nats-user'], pass, name: 'bank' },
    { onError: (error) => log.warn(`a question about balances was not answered: ${describe(error)}`) },
  );
  const responder = services.serveBalances((userId) => balancesOf(db, userId));
  ending.push(
    () => responder.stop(),
    () => services.close(),
    () => db.close(),
  );
  return { db, services };
}

function untilOpen(bank: Bank, isDayRunning: boolean): Promise<void> {
  return new Promise((resolve) => {
    const opening = new Loop(
      async () => {
        await open(bank, isDayRunning);
        resolve();
        return undefined;
      },
      (error) => log.warn(`not open yet: ${describe(error)}`),
    );
    ending.splice(1, 0, () => opening.stop());
    opening.wake();
  });
}

async function stop(): Promise<void> {
  setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
  for (const end of ending) await end().catch((error: unknown) => log.warn(describe(error)));
  log.info('the bank is closed');
  process.exit(0);
}

function main(): void {
  const { settings, wants } = readSettings(process.argv.slice(2), process.env);
  if (wants === 'help') process.stdout.write(usage());
  if (wants !== 'run') return;
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
  start(settings).catch((error: unknown) => {
    log.error(describe(error));
    process.exit(1);
  });
}

try {
  main();
} catch (error) {
  process.stderr.write(`bank: ${describe(error)}\n`);
  process.exitCode = 2;
}
