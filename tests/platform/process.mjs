// Ports and programs of the tests that start some.

import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from './render.mjs';

const DEADLINE_MS = 60_000;

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether a GET at this machine's own address is answered with 200: by the script that images are asked with. */
export function answers(port, path) {
  try {
    execFileSync('bash', [join(ROOT, 'deploy/image/ready.sh'), String(port), path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Programs that are started together: what one of them said is shown when a wait is in vain. */
export class Programs {
  running = [];

  start(name, command, args, env) {
    const output = [];
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const exit = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data));
    const program = { child, exit, name, text: () => Buffer.concat(output).toString() };
    this.running.push(program);
    return program;
  }

  forget(program) {
    this.running.splice(this.running.indexOf(program), 1);
  }

  async until(what, holds, deadlineMs = DEADLINE_MS) {
    for (const end = Date.now() + deadlineMs; Date.now() < end; await delay(100)) if (await holds()) return;
    const said = this.running.map(({ name, text }) => `--- ${name}\n${text().slice(-2000)}`);
    throw new Error(`${what}: not within ${deadlineMs} ms\n${said.join('\n')}`);
  }

  async stop(signal = 'SIGTERM') {
    for (const { child } of this.running) child.kill(signal);
    const codes = await Promise.all(this.running.map(async ({ name, exit }) => [name, await exit]));
    this.running = [];
    return codes;
  }
}
