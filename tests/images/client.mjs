#!/usr/bin/env node
// client.mjs URL TOKEN: a stock client that is shown what is published once it is there.
import { execFileSync } from 'node:child_process';
import { Client } from '../e2e/harness.mjs';

const [url, token] = process.argv.slice(2);
const client = await new Client(url, { auth: { token } }).connected();
execFileSync('ww', ['publish', 'kyc', '--user', 'alice', '--set', 'status=approved', '--passwords-dir', '/etc/walletwire/secrets/nats'], { stdio: 'inherit' });
await client.waitFor('kyc:update', ({ status }) => status === 'approved');
client.close();
