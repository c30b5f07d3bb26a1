/*
 * Whose request it is: what a client writes into X-Forwarded-For itself, which proxies leave
 * further left, changes nothing about the address that is found, and without a trusted proxy
 * nothing there is believed. A list of networks is read whole or not at all.
 *
 * Input: texts that end in NUL: the trusted networks, the peer, what the client adds, and the value
 * of each line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "fuzz.h"
#include "http/head.h"

#define NAME "X-Forwarded-For"

struct world {
	const char *trusted, *peer, *claim;
	struct http_head head;
};

/* Texts are cut out of the copy, where each ends in a NUL. */
static const char *next_text(char **at, const char *end)
{
	const char *text = *at;

	*at += strlen(text);
	if (*at < end)
		(*at)++;
	return text;
}

static struct world read_world(char *at, const char *end)
{
	struct world world = { .trusted = next_text(&at, end) };

	world.peer = next_text(&at, end);
	world.claim = next_text(&at, end);
	/* One line is left for the claim. */
	while (at < end && world.head.lines_len < HEAD_LINES_CAP - 1)
		world.head.lines[world.head.lines_len++] =
		    (struct head_line){ NAME, next_text(&at, end) };
	return world;
}

static struct http_head with_claim(const struct world *world)
{
	struct http_head head = world->head;

	memmove(&head.lines[1], &head.lines[0], head.lines_len * sizeof(head.lines[0]));
	head.lines[0] = (struct head_line){ NAME, world->claim };
	head.lines_len++;
	return head;
}

static bool is_same(const struct address *a, const struct address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void check(const struct world *world, const struct networks *trusted)
{
	struct http_head claimed = with_claim(world);
	struct address peer, found, again;
	bool has_peer = address_parse(bytes_of_str(world->peer), &peer);

	assert(client_address(&world->head, world->peer, trusted, &found) == has_peer);
	if (!has_peer)
		return;
	if (!networks_have(trusted, &peer))
		assert(is_same(&found, &peer));
	if (!networks_have(trusted, &found)) {
		assert(client_address(&claimed, world->peer, trusted, &again));
		assert(is_same(&again, &found));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = xcalloc(1, size + 1);
	struct networks *trusted = NULL;
	struct err err = ERR_INIT;
	struct world world;

	if (size)
		memcpy(copy, data, size);
	world = read_world(copy, copy + size);
	if (networks_new(world.trusted, &trusted, &err) == STATUS_OK)
		check(&world, trusted);
	else
		assert(!trusted && err.msg[0]);
	networks_free(trusted);
	free(copy);
	return 0;
}
