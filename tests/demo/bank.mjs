// What the tests of the demo share: the bank's API through HAProxy, and people who are signed in by it.

import assert from 'node:assert/strict';
import { request, useStack } from '../e2e/harness.mjs';

export const PEOPLE = ['alice', 'bob', 'carol', 'dave'];

export const centsOf = (amount) => Number(amount.replace('.', ''));

// A whole system with the bank, on a day that stands still until a test says otherwise.
export function useDemo({ env = {}, ...options } = {}) {
  const stack = useStack({ edges: 2, bank: true, env: { WW_BANK_DAY: 'paused', ...env }, ...options });
  return { stack, bank: new Bank(stack) };
}

class Bank {
  constructor(stack) {
    this.stack = stack;
  }

  get entry() {
    return this.stack.status().services.find(({ name }) => name === 'bank');
  }

  // Any request below /bank/api: { status, headers, body }, the body as JSON if it is some.
  async ask(method, path, body, headers = {}) {
    const isRaw = body === undefined || typeof body === 'string';
    const { body: text, ...answer } = await request(`${this.entry.url}${path}`, {
      method,
      headers: { ...(method === 'POST' && { 'Content-Type': 'application/json' }), ...headers },
      body: isRaw ? body : JSON.stringify(body),
    });
    const isJson = answer.headers['content-type'] === 'application/json';
    return { ...answer, body: isJson ? JSON.parse(text) : text };
  }

  async get(path) {
    const { status, body } = await this.ask('GET', path);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  // What a POST that has to go well is answered.
  async post(path, body, headers) {
    const answer = await this.ask('POST', path, body, headers);
    assert.equal(answer.status, 200, `${path} ${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  // Everybody's wallet: { alice: { available, pending, version ... } ... }
  async wallets() {
    const { users } = await this.get('/state');
    return Object.fromEntries(users.filter(({ wallets }) => wallets.length > 0).map(({ id, wallets }) => [id, wallets[0]]));
  }

  // What can be spent, in cents: exact.
  async cents(userId) {
    return centsOf((await this.wallets())[userId].available);
  }

  // A stock client with the token of the bank.
  async signIn(userId, options = {}) {
    const { token } = await this.post('/sign-in', { userId });
    return this.stack.client(this.stack.url('http'), { auth: { token }, ...options }).connected();
  }

  // What the ledger says of itself, as the role that owns it.
  async query(sql) {
    const lines = await this.stack.psql('bank', '-c', `SELECT coalesce(json_agg(row), '[]') FROM (${sql}) row`);
    return JSON.parse(lines.join(''));
  }

  // Entries of every movement sum to zero, and every account has what its entries say.
  async assertBooks() {
    assert.deepEqual(await this.query('SELECT movement, sum(units) FROM bank.entries GROUP BY 1 HAVING sum(units) <> 0'), []);
    assert.deepEqual(
      await this.query(
        `SELECT a.id, a.balance, coalesce(sum(e.units), 0) AS entries FROM bank.accounts a
         LEFT JOIN bank.entries e ON e.account = a.id GROUP BY a.id HAVING a.balance <> coalesce(sum(e.units), 0)`,
      ),
      [],
    );
  }
}
