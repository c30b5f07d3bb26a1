// The one door to PostgreSQL: units of work that are committed or were never there.

import { readFile } from 'node:fs/promises';

import pg from 'pg';

import { Refused } from './refused.js';

export interface Tx {
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

const SCHEMA = new URL('../schema/001_init.sql', import.meta.url);
const CONNECTIONS = 8;
const WAIT_MS = 5000;
const TRIES = 3;
const RETRIED = new Set(['40001', '40P01']); // serialisation failure, deadlock
const AWAY = /^(08|53|57)/; // connection, resources, shutdown
const LOST = /^Connection terminated|^Client has encountered a connection error|^timeout exceeded/;

// A bigint is one here, too: money never becomes a float on its way.
pg.types.setTypeParser(pg.types.builtins.INT8, BigInt);

export class Database {
  readonly #pool: pg.Pool;

  constructor(url: string, onLost: (error: Error) => void) {
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: 'bank',
      max: CONNECTIONS,
      connectionTimeoutMillis: WAIT_MS,
      statement_timeout: WAIT_MS,
      idle_in_transaction_session_timeout: 2 * WAIT_MS,
    });
    this.#pool.on('error', onLost); // of a connection that nobody uses now
  }

  /** Commits what `run` did, or none of it if it throws; may run it again. */
  transaction<T>(run: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#unit('BEGIN', run);
  }

  /** Everything that `run` reads is of one moment. */
  snapshot<T>(run: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#unit('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', run);
  }

  /** Makes the schema where there is none. */
  async prepare(): Promise<void> {
    const schema = await readFile(SCHEMA, 'utf8');
    await this.transaction(async (tx) => {
      await tx.query("SELECT pg_advisory_xact_lock(hashtext('bank.schema'))");
      const [row] = await tx.query<{ there: boolean }>("SELECT to_regclass('bank.accounts') IS NOT NULL AS there");
      if (!row?.there) await tx.query(schema);
    });
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #unit<T>(begin: string, run: (tx: Tx) => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#once(begin, run);
      } catch (error) {
        if (tried === TRIES || !(error instanceof pg.DatabaseError) || !RETRIED.has(error.code ?? ''))
          throw translate(error);
      }
    }
  }

  async #once<T>(begin: string, run: (tx: Tx) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((cause: unknown) => {
      throw new Refused('unavailable', 'the database does not answer now', { cause });
    });
    let broken: Error | undefined;
    const lost = (error: Error): void => void (broken = error);
    client.on('error', lost);
    try {
      await client.query(begin);
      const result = await run({
        query: async (text, values) => (await client.query(text, values && [...values])).rows as never,
      });
      await client.query('COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((cause: unknown) => void (broken = cause as Error));
      throw error;
    } finally {
      client.off('error', lost);
      client.release(broken); // a connection that could not even roll back is not used again
    }
  }
}

function isAway(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return AWAY.test(error.code ?? '');
  // What node-postgres throws itself has no class of its own; what the socket throws names the call.
  return error instanceof Error && ('syscall' in error || LOST.test(error.message));
}

function translate(error: unknown): unknown {
  return isAway(error) ? new Refused('unavailable', 'the database does not answer now', { cause: error }) : error;
}
