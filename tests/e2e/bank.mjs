// A wallet's back end that answers ww.backend.notifications.balance_get, on a bare connection to NATS: the tests have
// no library for it, and two messages need none.
//
//   const bank = await openBank(stack);
//   bank.set('alice', [{ walletId: 'main', cents: 1000 }]);
//   bank.asked('alice');   // how often it was asked
//   await bank.close();

import net from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const SUBJECT = 'ww.backend.notifications.balance_get';

// --- protobuf: varints, and fields with a length ---
function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Buffer.from([...bytes, value]);
}

const number = (field, value) => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field, data) => Buffer.concat([varint(field * 8 + 2), varint(data.length), data]);
const string = (field, text) => bytes(field, Buffer.from(text));

function balanceEvent({ walletId, cents, version = 0 }) {
  const amount = Buffer.concat([number(1, cents), number(2, 2)]);
  return Buffer.concat([string(1, walletId), bytes(2, amount), string(4, 'EUR'), number(5, version)]);
}

// BalanceGetReply { wallets = 2 }
const replyOf = (wallets) => Buffer.concat(wallets.map((wallet) => bytes(2, balanceEvent(wallet))));

// BalanceGetRequest { user_id = 1 }: one field, and ids of tests are short.
const userOf = (request) => request.subarray(2, 2 + request[1]).toString();

class Bank {
  constructor(socket) {
    this.socket = socket;
    this.wallets = new Map();
    this.questions = [];
    this.input = Buffer.alloc(0);
    socket.on('data', (data) => {
      this.input = Buffer.concat([this.input, data]);
      while (this.#take());
    });
    socket.on('error', () => {});
  }

  set(user, wallets) {
    this.wallets.set(user, wallets);
  }

  asked(user) {
    return this.questions.filter((one) => one === user).length;
  }

  close() {
    return new Promise((resolve) => this.socket.end(resolve));
  }

  // One line of the protocol, with its payload; false if it is not all there yet.
  #take() {
    const end = this.input.indexOf('\r\n');
    if (end < 0) return false;
    const [verb, ...args] = this.input.subarray(0, end).toString().split(' ');
    let rest = end + 2;
    if (verb === 'MSG') {
      rest += Number(args.at(-1)) + 2;
      if (this.input.length < rest) return false;
      this.#answer(args.at(-2), this.input.subarray(end + 2, rest - 2));
    }
    if (verb === 'PING') this.socket.write('PONG\r\n');
    if (verb === 'PONG') this.onPong?.();
    this.input = this.input.subarray(rest);
    return true;
  }

  #answer(inbox, request) {
    const user = userOf(request);
    const reply = replyOf(this.wallets.get(user) ?? []);
    this.questions.push(user);
    this.socket.write(Buffer.concat([Buffer.from(`PUB ${inbox} ${reply.length}\r\n`), reply, Buffer.from('\r\n')]));
  }
}

export async function openBank(stack) {
  const { hostname, port } = new URL(stack.wwEnv.WW_NATS_URL);
  const password = readFileSync(join(stack.wwEnv.WW_NATS_PASSWORDS_DIR, 'backend'), 'utf8').trim();
  const socket = net.connect(Number(port), hostname);
  const bank = new Bank(socket);
  const ready = new Promise((resolve, reject) => {
    bank.onPong = resolve;
    socket.once('error', reject);
  });
  socket.write(`CONNECT ${JSON.stringify({ verbose: false, user: 'backend', pass: password })}\r\nSUB ${SUBJECT} bank 1\r\nPING\r\n`);
  await ready;
  return bank;
}
