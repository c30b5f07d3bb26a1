// The services of compose.yaml that have an image of ours, as programs within those images: command, user, environment,
// secrets, mounts are what compose says. Only addresses are other ones, since all of them share this machine's network.

import { chownSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, Programs } from '../platform/process.mjs';
import { compose } from '../platform/render.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const MINE = '127.0.0.1';
// What compose's network would tell apart by names.
const PORTS = { nats: ['4222', '8222'], edge: ['9090', '3000'], bank: ['8090'], other: ['9090'] };
const kindOf = (name) => (name === 'nats' || name === 'bank' ? name : name.startsWith('edge-') ? 'edge' : 'other');

export class Containers extends Programs {
  /** roots: { target: folder }; folder: what ./dev secrets made, where volumes are put too. */
  constructor(roots, folder) {
    super();
    this.roots = roots;
    this.folder = folder;
  }

  async plan() {
    process.env.WW_SECRETS = this.folder;
    this.config = compose();
    this.services = Object.entries(this.config.services).filter(([, { build }]) => build).map(([name]) => name);
    this.ports = {};
    for (const name of this.services) {
      this.ports[name] = {};
      for (const port of PORTS[kindOf(name)]) this.ports[name][port] = await freePort();
    }
  }

  #environment(name, { environment = {} }) {
    const here = (value) =>
      String(value)
        .replace(/^nats:\/\/nats:4222$/, `nats://${MINE}:${this.ports.nats[4222]}`)
        .replace(/^0\.0\.0\.0:(\d+)$/, (_, port) => `${MINE}:${this.ports[name][port]}`);
    const told = Object.entries(environment).map(([key, value]) => [key, here(value)]);
    const own = {
      nats: { WW_NATS_HOST: MINE, WW_NATS_PORT: this.ports.nats[4222], WW_NATS_MONITOR_PORT: this.ports.nats[8222] },
      // HAProxy and clients are this machine.
      edge: { WW_TRUSTED_PROXIES: `${MINE}/32`, WW_DRAIN_TIME: '500ms' },
    };
    return Object.entries({ ...Object.fromEntries(told), ...own[kindOf(name)] }).map(([key, value]) => `${key}=${value}`);
  }

  #volume(text, user) {
    const [source, target, how = 'rw'] = text.split(':');
    if (source.startsWith('/')) return `${source}:${target}:${how}`;
    const folder = join(this.folder, 'volumes', source);
    mkdirSync(folder, { recursive: true });
    // An engine gives a new volume to whom the image's folder belongs.
    chownSync(folder, ...user.split(':').map(Number));
    return `${folder}:${target}:${how}`;
  }

  #mounts({ secrets = [], volumes = [], tmpfs = [], user }) {
    const files = secrets.map(({ source, target }) => {
      const { file } = this.config.secrets[source];
      return `${file}:${target.startsWith('/') ? target : `/run/secrets/${target}`}:ro`;
    });
    return [
      ...tmpfs.flatMap((entry) => ['--tmpfs', entry]),
      ...files.flatMap((mount) => ['--mount', mount]),
      ...volumes.flatMap((volume) => ['--mount', this.#volume(volume, user)]),
    ];
  }

  /** command: what runs instead of the service's own. */
  run(name, command = this.config.services[name].command) {
    const service = this.config.services[name];
    const root = this.roots[service.build.target];
    const words = [...this.#mounts(service), '--', ...this.#environment(name, service), ...command];
    return this.start(name, 'bash', [join(HERE, 'container.sh'), root, service.user, ...words], process.env);
  }

  /** The same, for a program that ends by itself. */
  once(name, command) {
    const program = this.run(name, command);
    this.forget(program);
    return program;
  }

  /** What compose's health check says. */
  async healthy(name) {
    const { test } = this.config.services[name].healthcheck;
    const command = test.slice(1).map((word) => this.ports[name][word] ?? word);
    return (await this.once(name, command.map(String)).exit) === 0;
  }
}
