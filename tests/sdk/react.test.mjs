// @walletwire/react in a document of jsdom, over @walletwire/client and a whole system.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after } from 'node:test';
import { kyc, until as eventually, useStack } from '../e2e/harness.mjs';
import { online, sdkClient, until } from './wire.mjs';

const require = createRequire(new URL('../../clients/package.json', import.meta.url));
const { JSDOM } = require('jsdom');
const { window } = new JSDOM('<!doctype html><div id="root"></div>');
Object.assign(globalThis, { window, document: window.document });
globalThis.navigator ??= window.navigator;

const { createElement, StrictMode } = require('react');
const { createRoot } = require('react-dom/client');
const { renderToString } = require('react-dom/server');
const hooks = await import('../../clients/react/dist/index.js');

const stack = useStack({ edges: 1 });
after(() => window.close());

// Renders `component` in strict mode below a provider; returns how to unmount it.
function mount(client, component) {
  const root = createRoot(window.document.getElementById('root'));
  root.render(createElement(StrictMode, null, createElement(hooks.RealtimeProvider, { client }, createElement(component))));
  return () => root.unmount();
}

const shown = () => window.document.getElementById('root').textContent;
const showing = (text) => eventually(`"${text}" is shown`, () => shown() === text);

async function connected(user) {
  const client = sdkClient(stack, { url: stack.url(0) });
  client.connect(() => stack.token(user));
  await online(client);
  return client;
}

stack.test('the lines of the README are told each event once, and nothing once they are unmounted', async () => {
  const { useBalanceUpdates, useTransactionNotifications, usePresenceUpdates, useChatMessages, useTransferUpdates } = hooks;
  const client = await connected('ann');
  const seen = [];
  const unmount = mount(client, () => {
    useBalanceUpdates((data) => seen.push(data.available_balance));
    useTransactionNotifications((data) => seen.push(data.message));
    usePresenceUpdates((data) => seen.push(`${data.userId} ${data.status}`));
    useChatMessages((message) => seen.push(message.text));
    useTransferUpdates((update) => seen.push(update.state), 'tr-ann');
    return createElement('p', null, 'mounted');
  });
  await showing('mounted');
  const friend = await stack.ww(['friends', 'add', 'ann', 'ben']);
  assert.equal(friend.code, 0, friend.stderr);
  await connected('ben');
  const party = { sender: { userId: 'zoe', name: 'Zoe' }, recipient: { userId: 'ann', name: 'Ann' } };
  await stack.publish([
    { userIds: ['ann'], balance: { walletId: 'w', available_balance: '1500.00', currency: 'USD' } },
    { transaction: { transactionId: 't', type: 'p2p', amount: '1.00', currency: 'USD', status: 'completed', message: 'Lunch', ...party } },
    { userIds: ['ann'], transfer: { transferId: 'tr-ann', state: 'processing', amount: '1.00', currency: 'USD' } },
  ]);
  await eventually('four events', () => seen.length === 4);
  assert.deepEqual(seen.map(String).sort(), ['1500', 'Lunch', 'ben online', 'processing']);
  unmount();
  await showing('');
  await stack.publish([{ userIds: ['ann'], balance: { walletId: 'w', available_balance: '1.00', currency: 'USD' } }]);
  await eventually('the client knows it', () => client.balances.get().get('w').available_balance === 1);
  assert.equal(seen.length, 4);
});

stack.test('what is shown follows what happens', async () => {
  const { useConnection, useBalance, useUnreadCount, useNotifications, usePresence } = hooks;
  const client = await connected('cat');
  let inbox;
  const unmount = mount(client, () => {
    const { status } = useConnection();
    inbox = useNotifications();
    const parts = [status, useBalance('w')?.available_balance, useUnreadCount(), inbox.items.length, usePresence().size];
    return createElement('p', null, parts.map(String).join(' '));
  });
  await showing('online undefined 0 0 0');
  await stack.publish([
    { userIds: ['cat'], balance: { walletId: 'w', available_balance: '2.50', currency: 'EUR' } },
    kyc('cat', 0),
    kyc('cat', 1),
  ]);
  await showing('online 2.5 2 2 0');
  await inbox.read([inbox.items[0].notification.id]);
  await showing('online 2.5 1 2 0');
  await inbox.archive('all');
  await showing('online 2.5 0 0 0');
  client.disconnect();
  await showing('offline undefined 0 0 0');
  unmount();
});

stack.test('a room is open while it is mounted, whatever strict mode does', async () => {
  const { useChatRoom, useTyping } = hooks;
  const [dot, eva] = [await connected('dot'), await connected('eva')];
  const { roomId, seq } = await eva.sendChatMessage('Hello!', 'dot');
  await eva.openRoom(roomId);
  let room;
  const unmount = mount(dot, () => {
    room = useChatRoom(roomId);
    const typing = useTyping(roomId);
    const texts = room.messages.map(({ text }) => text);
    return createElement('p', null, [room.status, ...texts, 'typing:', ...typing, 'read:', room.readMarkers.get('dot') ?? 0].join(' '));
  });
  await showing('ready Hello! typing: read: 0');
  // A hint, which may get lost while edges begin to listen to a room: people type more than once.
  const typing = setInterval(() => void eva.typing(roomId).catch(() => {}), 1000);
  await showing('ready Hello! typing: eva read: 0').finally(() => clearInterval(typing));
  await eva.sendRoomMessage('Are you there?', roomId);
  await showing('ready Hello! Are you there? typing: read: 0');
  await room.read(seq + 1);
  await showing('ready Hello! Are you there? typing: read: 2');
  await room.setTyping(true);
  await until(eva, 'typing', () => eva.room(roomId).get().typing.includes('dot'));
  const sent = await room.send('Yes');
  assert.equal(sent.seq, seq + 2);
  await showing('ready Hello! Are you there? Yes typing: read: 2');
  unmount();
  await showing('');
  // Asked after the room was closed, on the same socket; typing comes to rooms that are open only.
  await dot.rooms();
  const typed = [];
  dot.on('typing', (data) => typed.push(data));
  await eva.typing(roomId);
  await eva.sendRoomMessage('Gone?', roomId);
  await until(dot, 'the message, which comes after it', () => dot.room(roomId).get().messages.length === 4);
  assert.deepEqual(typed, []);
});

stack.test('a server renders what there is and connects nothing', () => {
  const client = sdkClient(stack);
  const App = () => {
    hooks.useBalanceUpdates(() => assert.fail('nothing happens on a server'));
    return createElement('p', null, `${hooks.useConnection().status} ${hooks.useUnreadCount()} ${hooks.useNotifications().status}`);
  };
  const html = renderToString(createElement(hooks.RealtimeProvider, { client }, createElement(App)));
  assert.equal(html, '<p>offline 0 idle</p>');
  assert.throws(() => renderToString(createElement(App)), /no RealtimeProvider/);
});
