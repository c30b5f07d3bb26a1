// Shared by tests of who is online: what a client takes its friends for.

// All that the client was told of a user, in order: by lists, which leave out who is offline, and by updates.
export function statusesOf(client, user) {
  const statuses = [];
  for (const { name, data } of client.events) {
    if (name === 'presence:friends') statuses.push(data.users.find((friend) => friend.userId === user)?.status ?? 'offline');
    if (name === 'presence:update' && data.userId === user) statuses.push(data.status);
  }
  return statuses;
}

// The newest of it; undefined: it was told nothing.
export const seen = (client, user) => statusesOf(client, user).at(-1);
