// One JSON object a line on standard error, as the services write it. Nobody hands in an amount, a token or a text of
// people's: of an error of PostgreSQL, which may quote a row, only its code and where it comes from are told.

import pg from 'pg';

type Level = 'info' | 'warn' | 'error';

function write(level: Level, msg: string): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), svc: 'bank', level, msg })}\n`);
}

export const log = {
  info: (msg: string): void => write('info', msg),
  warn: (msg: string): void => write('warn', msg),
  error: (msg: string): void => write('error', msg),
};

export function describe(error: unknown): string {
  if (error instanceof pg.DatabaseError)
    return `PostgreSQL said ${error.code ?? '?'}${error.constraint ? ` about ${error.constraint}` : ''}`;
  if (!(error instanceof Error)) return 'something was thrown that is no error';
  const cause = error.cause === undefined ? '' : `: ${describe(error.cause)}`;
  return `${error.message || error.name}${cause}`;
}
