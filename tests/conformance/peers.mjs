// The servers that are compared, each a process of its own on a free port of 127.0.0.1.
//
// WW_CONFORMANCE_PEERS=reference leaves ours out (to work on the table where nothing is built).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const PRESET = process.env.WW_DEV_PRESET ?? 'asan';
const OURS = join(HERE, '..', '..', 'build', PRESET, 'bin', 'ww-conformance');
const REFERENCE = join(HERE, 'reference', 'server.mjs');
const SANITIZER_REPORT = /ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:/;
const START_MS = 20_000;
const STOP_MS = 20_000;

const LISTEN = '--listen=127.0.0.1:0';
const COMMANDS = {
  reference: [process.execPath, [REFERENCE, LISTEN]],
  'reference-msgpack': [process.execPath, [REFERENCE, LISTEN, '--parser=msgpack']],
  ours: [OURS, [LISTEN]],
};

export const WITH_OURS = (process.env.WW_CONFORMANCE_PEERS ?? 'reference,ours').split(',').includes('ours');

// The peer that speaks `parser`: the reference has one parser a server, ours finds it out.
export const peerName = (who, parser) => (who === 'reference' && parser === 'msgpack' ? 'reference-msgpack' : who);

class Peer {
  constructor(name) {
    this.name = name;
    this.stderr = '';
  }

  async start() {
    const [command, args] = COMMANDS[this.name];
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    this.exited = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve([code, signal])));
    this.port = await this.#listening();
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  #listening() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail('it says nothing'), START_MS);
      const fail = (why) => {
        clearTimeout(timer);
        reject(new Error(`${this.name} did not start: ${why}\n${this.stderr}`));
      };
      this.child.on('error', (error) => fail(error.message));
      this.child.on('exit', (code, signal) => fail(`it ended with ${code ?? signal}`));
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        const port = /listening on (\d+)$/.exec(line)?.[1];
        if (!port) return;
        clearTimeout(timer);
        resolve(Number(port));
      });
    });
  }

  // Ours has to survive everything that was done to it, and to leave when it is asked to.
  async stop() {
    const early = this.child.exitCode ?? this.child.signalCode;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    const [code, signal] = await this.exited;
    clearTimeout(timer);
    assert.equal(early, null, `${this.name} ended before it was told to:\n${this.stderr}`);
    if (this.name !== 'ours') return;
    assert.doesNotMatch(this.stderr, SANITIZER_REPORT);
    assert.equal(code ?? signal, 0, `it ends well when asked:\n${this.stderr.slice(-2000)}`);
  }
}

// Starts all of them: a map from their names.
export async function startPeers() {
  const names = Object.keys(COMMANDS).filter((name) => WITH_OURS || name !== 'ours');
  const peers = names.map((name) => new Peer(name));
  const starts = await Promise.allSettled(peers.map((peer) => peer.start()));
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed) {
    for (const peer of peers) peer.child.kill();
    throw failed.reason;
  }
  return new Map(peers.map((peer) => [peer.name, peer]));
}

export async function stopPeers(peers) {
  const ends = await Promise.allSettled([...peers.values()].map((peer) => peer.stop()));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
