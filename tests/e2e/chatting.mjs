// Shared by the tests of chat: questions that have to be answered, or refused, and groups of fresh users.

import assert from 'node:assert/strict';

export async function asked(client, event, payload) {
  const reply = await client.ask(event, payload);
  assert.ok(reply.ok, `${event}: ${JSON.stringify(reply)}`);
  return reply;
}

export async function refused(client, event, payload, code, field) {
  const { ok, error } = await client.ask(event, payload);
  assert.deepEqual([ok, error?.code, error?.field], [false, code, field], `${event} ${JSON.stringify(payload).slice(0, 200)}: ${error?.message}`);
}

// Clients of these users, at the edges in turn.
export async function connectAll(stack, ...users) {
  return Promise.all(users.map((user, i) => stack.connect(user, { at: i % 2 })));
}

// A group of fresh users, the first of them its owner; everybody has been told of it.
export async function group(stack, ...users) {
  const clients = await connectAll(stack, ...users);
  const { room } = await asked(clients[0], 'chat:create', { type: 'group', name: 'Trip', members: users.slice(1) });
  for (const client of clients) await client.waitFor('chat:room', (data) => data.roomId === room.id && data.change === 'created');
  return { roomId: room.id, room, clients };
}

// The sum of a gauge over all edges.
export async function sumOverEdges(stack, name) {
  const pages = await Promise.all(stack.status().edges.map(async ({ admin }) => (await fetch(`${admin}/metrics`)).text()));
  return pages.reduce((total, page) => total + Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(page)[1]), 0);
}
