// A certificate authority of a test's own: openssl signs and revokes, in a folder that the test removes.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './harness.mjs';

const CONFIG = (dir) => `
[ca]
default_ca = own
[own]
dir = ${dir}
database = ${join(dir, 'index')}
serial = ${join(dir, 'serial')}
new_certs_dir = ${dir}
certificate = ${join(dir, 'ca.crt')}
private_key = ${join(dir, 'ca.key')}
default_md = sha256
default_days = 7
default_crl_days = 7
unique_subject = no
copy_extensions = copy
policy = any
[any]
commonName = supplied
`;

async function openssl(...args) {
  const { code, stderr } = await run('openssl', args);
  assert.equal(code, 0, `openssl ${args.join(' ')}: ${stderr}`);
}

export class Authority {
  constructor(dir) {
    this.dir = dir;
    this.crt = join(dir, 'ca.crt');
  }

  static async make(dir) {
    const authority = new Authority(dir);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'openssl.cnf'), CONFIG(dir));
    writeFileSync(join(dir, 'index'), '');
    writeFileSync(join(dir, 'serial'), '01\n');
    const about = ['-days', '7', '-subj', '/CN=an authority of a test', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
    await openssl('req', '-x509', ...authority.#key('ca'), ...about, '-out', authority.crt);
    return authority;
  }

  #key(name) {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', join(this.dir, `${name}.key`)];
  }

  // Signs for `name`; `alternative`: 'DNS:host,IP:127.0.0.1'. Returns the paths { crt, key }.
  async issue(name, alternative) {
    const [csr, crt, key] = ['csr', 'crt', 'key'].map((end) => join(this.dir, `${name}.${end}`));
    const names = alternative ? ['-addext', `subjectAltName=${alternative}`] : [];
    await openssl('req', '-new', ...this.#key(name), '-subj', `/CN=${name}`, ...names, '-out', csr);
    await openssl('ca', '-batch', '-notext', '-config', join(this.dir, 'openssl.cnf'), '-in', csr, '-out', crt);
    return { crt, key };
  }

  async revoke({ crt }) {
    await openssl('ca', '-config', join(this.dir, 'openssl.cnf'), '-revoke', crt);
  }

  // The path of a fresh list of what was revoked so far.
  async revoked() {
    const crl = join(this.dir, `${readFileSync(join(this.dir, 'index')).length}.crl`);
    await openssl('ca', '-config', join(this.dir, 'openssl.cnf'), '-gencrl', '-out', crl);
    return crl;
  }
}
