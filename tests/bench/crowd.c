/* A socket or a word to a load edge for each; two pools of sockets, one for each real edge. */
#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "report.h"

enum {
	RETRY_MS = 200,  /* clients that were lost come again */
	LOST_MAX = 1000, /* more are no accident */
};

/* --- users --- */

bool crowd_has_socket(const struct crowd *crowd, uint32_t user)
{
	return user < crowd->cfg.sockets;
}

static struct bench_pool *pool_of(struct crowd *crowd, uint32_t user)
{
	return &crowd->sides[user % CROWD_SIDES].pool;
}

static struct bench_socket *socket_of(struct crowd *crowd, uint32_t user)
{
	return &pool_of(crowd, user)->sockets[user / CROWD_SIDES];
}

static void note_change(struct crowd *crowd, uint32_t user, PresenceStatus status)
{
	crowd->friends->is[user] = (uint8_t)status;
	crowd->changed_us[user] = clock_mono_us();
	crowd->changes++;
}

static void set_load(struct crowd *crowd, uint32_t user, PresenceStatus status)
{
	load_edges_set(crowd->load, user, status);
	note_change(crowd, user, status);
}

void crowd_say(struct crowd *crowd, uint32_t user, PresenceStatus status)
{
	char packet[64];

	if (!crowd_has_socket(crowd, user)) {
		set_load(crowd, user, status);
		return;
	}
	(void)snprintf(packet, sizeof(packet), "21[\"presence:set\",{\"status\":\"%s\"}]",
	    status == PRESENCE(AWAY) ? "away" : "online");
	note_change(crowd, user, status);
	bench_socket_send(
	    pool_of(crowd, user), socket_of(crowd, user), bytes_of(packet, strlen(packet)));
}

bool crowd_is_ready(struct crowd *crowd, uint32_t user)
{
	return socket_of(crowd, user)->state == BENCH_READY;
}

void crowd_come(struct crowd *crowd, uint32_t user)
{
	if (!crowd_has_socket(crowd, user)) {
		set_load(crowd, user, PRESENCE(ONLINE));
		return;
	}
	crowd->is_here[user] = true;
	bench_socket_start(pool_of(crowd, user), socket_of(crowd, user));
}

void crowd_go(struct crowd *crowd, uint32_t user)
{
	if (!crowd_has_socket(crowd, user)) {
		set_load(crowd, user, PRESENCE(OFFLINE));
		return;
	}
	crowd->is_here[user] = false;
	bench_socket_stop(pool_of(crowd, user), socket_of(crowd, user));
	crowd->friends->watches[user] = false;
	note_change(crowd, user, PRESENCE(OFFLINE));
}

/* --- sockets --- */

/* Asked for when the client says who it is: from there on it is online. */
static const char *token_of(void *arg, size_t index)
{
	const struct crowd_side *side = arg;
	struct crowd *crowd = side->crowd;
	uint32_t user = (uint32_t)(index * CROWD_SIDES + side->index);

	if (!crowd->tokens[user])
		crowd->tokens[user] = bench_token(crowd->cfg.keys_dir, crowd->friends->ids[user]);
	note_change(crowd, user, PRESENCE(ONLINE));
	return crowd->tokens[user];
}

static void on_ready(void *arg, struct bench_socket *socket)
{
	const struct crowd_side *side = arg;
	uint32_t user = (uint32_t)(socket->index * CROWD_SIDES + side->index);

	friends_forget(side->crowd->friends, user);
	side->crowd->friends->watches[user] = true;
}

/* A service that is late makes the edge close the connection, and clients come again. */
static void on_lost(void *arg, struct bench_socket *socket, const char *why)
{
	const struct crowd_side *side = arg;
	struct crowd *crowd = side->crowd;

	crowd->friends->watches[socket->index * CROWD_SIDES + side->index] = false;
	if (crowd->lost++ == 0)
		(void)fprintf(stderr, "a client was lost: %s\n", why);
	if (!crowd->retry_ms)
		crowd->retry_ms = clock_mono_ms() + RETRY_MS;
}

static void retry(struct crowd *crowd)
{
	if (!crowd->retry_ms || clock_mono_ms() < crowd->retry_ms)
		return;
	crowd->retry_ms = 0;
	for (uint32_t user = 0; user < crowd->cfg.sockets; user++) {
		if (crowd->is_here[user] && socket_of(crowd, user)->state == BENCH_IDLE)
			crowd_come(crowd, user);
	}
}

/* What stands between `before` and the next quote; the text goes on behind it. */
static bool take_quoted(struct bytes *text, const char *before, struct bytes *ret)
{
	const uint8_t *end = text->data + text->len;
	const uint8_t *at = memmem(text->data, text->len, before, strlen(before));
	const uint8_t *quote;

	if (!at)
		return false;
	at += strlen(before);
	quote = memchr(at, '"', (size_t)(end - at));
	if (!quote)
		return false;
	*ret = bytes_of(at, (size_t)(quote - at));
	*text = bytes_of(quote, (size_t)(end - quote));
	return true;
}

static PresenceStatus status_of(struct bytes word)
{
	static const char *const words[] = { [PRESENCE(ONLINE)] = "online",
		[PRESENCE(AWAY)] = "away",
		[PRESENCE(OFFLINE)] = "offline" };

	for (PresenceStatus status = PRESENCE(ONLINE); status <= PRESENCE(OFFLINE); status++) {
		if (strlen(words[status]) == word.len &&
		    memcmp(words[status], word.data, word.len) == 0)
			return status;
	}
	return PRESENCE(UNSPECIFIED);
}

/* The next user in a list or an update. */
static bool take_word(
    struct crowd *crowd, struct bytes *text, uint32_t *ret_user, PresenceStatus *ret_status)
{
	struct bytes id, word;

	if (!take_quoted(text, "\"userId\":\"", &id) || !take_quoted(text, "\"status\":\"", &word))
		return false;
	*ret_status = status_of(word);
	*ret_user = UINT32_MAX;
	(void)friends_number(crowd->friends, (const char *)id.data, id.len, ret_user);
	return true;
}

static void add_sample(struct crowd_samples *samples, int64_t us)
{
	if (samples->len == samples->room) {
		samples->room = samples->room ? 2 * samples->room : 1024;
		samples->us = xrealloc(samples->us, samples->room * sizeof(*samples->us));
	}
	samples->us[samples->len++] = us;
}

static void time_change(struct crowd *crowd, uint32_t user, PresenceStatus status)
{
	bool is_gone = status == PRESENCE(OFFLINE);
	int64_t us;
	enum crowd_kind kind;

	/* What was so before, and came to be otherwise meanwhile. */
	if (user >= crowd->friends->users || crowd->friends->is[user] != status)
		return;
	us = clock_mono_us() - crowd->changed_us[user] - (is_gone ? crowd->cfg.grace_ms * 1000 : 0);
	if (crowd->kind == CROWD_STAR)
		crowd->star_heard++;
	if (crowd->kind != CROWD_KINDS)
		kind = crowd->kind;
	else if (crowd_has_socket(crowd, user))
		kind = is_gone ? CROWD_SOCKET_GONE : CROWD_SOCKET_HERE;
	else
		kind = is_gone ? CROWD_LOAD_GONE : CROWD_LOAD_HERE;
	add_sample(&crowd->samples[kind], us);
}

static bool begins_with(struct bytes packet, const char *text)
{
	return packet.len >= strlen(text) && memcmp(packet.data, text, strlen(text)) == 0;
}

static void on_packet(void *arg, struct bench_socket *socket, struct bytes packet)
{
	const struct crowd_side *side = arg;
	struct crowd *crowd = side->crowd;
	uint32_t watcher = (uint32_t)(socket->index * CROWD_SIDES + side->index), user;
	PresenceStatus status;

	if (begins_with(packet, "2[\"presence:friends\",")) {
		friends_forget(crowd->friends, watcher);
		while (take_word(crowd, &packet, &user, &status))
			friends_believe(crowd->friends, watcher, user, status);
	} else if (begins_with(packet, "2[\"presence:update\",") &&
		   take_word(crowd, &packet, &user, &status)) {
		friends_believe(crowd->friends, watcher, user, status);
		time_change(crowd, user, status);
	}
}

bool crowd_has_failed(const struct crowd *crowd)
{
	return crowd->lost > LOST_MAX;
}

void crowd_serve(struct crowd *crowd)
{
	for (size_t i = 0; i < CROWD_SIDES; i++)
		bench_pool_poll(&crowd->sides[i].pool, 1);
	load_edges_tick(crowd->load, clock_mono_ms());
	retry(crowd);
}

void crowd_serve_for(struct crowd *crowd, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (clock_mono_ms() < until && !crowd_has_failed(crowd))
		crowd_serve(crowd);
}

size_t crowd_ready(const struct crowd *crowd)
{
	return crowd->sides[0].pool.ready + crowd->sides[1].pool.ready;
}

/* --- life --- */

static void init_side(struct crowd *crowd, size_t index)
{
	struct crowd_side *side = &crowd->sides[index];

	side->crowd = crowd;
	side->index = index;
	bench_pool_init(&side->pool, crowd->cfg.ports[index],
	    (crowd->cfg.sockets + CROWD_SIDES - 1 - index) / CROWD_SIDES);
	side->pool.token = token_of;
	side->pool.on_packet = on_packet;
	side->pool.on_ready = on_ready;
	side->pool.on_lost = on_lost;
	side->pool.arg = side;
}

void crowd_init(
    struct crowd *crowd, const struct crowd_config *cfg, struct friends *friends, struct bus *bus)
{
	*crowd = (struct crowd){ .cfg = *cfg, .friends = friends };
	crowd->tokens = xcalloc(cfg->sockets, sizeof(*crowd->tokens));
	crowd->is_here = xcalloc(cfg->sockets, sizeof(*crowd->is_here));
	crowd->changed_us = xcalloc(friends->users, sizeof(*crowd->changed_us));
	for (size_t i = 0; i < CROWD_SIDES; i++)
		init_side(crowd, i);
	crowd->load = load_edges_new(friends, bus, (uint32_t)cfg->sockets);
}

void crowd_finish(struct crowd *crowd)
{
	load_edges_free(crowd->load);
	for (size_t i = 0; i < CROWD_SIDES; i++)
		bench_pool_finish(&crowd->sides[i].pool);
	for (size_t i = 0; i < crowd->cfg.sockets; i++)
		free(crowd->tokens[i]);
	for (size_t i = 0; i < CROWD_KINDS; i++)
		free(crowd->samples[i].us);
	free(crowd->tokens);
	free(crowd->is_here);
	free(crowd->changed_us);
}
