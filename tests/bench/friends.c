/* Pairs by user, one array each for what is known of them. */
#include "friends.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "db/db.h"
#include "report.h"

enum { ROWS = 10000 /* of one statement */ };

/* --- the graph --- */

static size_t common_divisor(size_t a, size_t b)
{
	return b ? common_divisor(b, a % b) : a;
}

/* From one to the next friend on the ring: nobody is met twice. */
static size_t stride_of(size_t ring)
{
	size_t stride = ring * 382 / 1000 + 1;

	while (common_divisor(stride, ring) != 1)
		stride++;
	return stride;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void befriend_star(struct friends *friends, size_t star)
{
	for (uint32_t user = 1; user <= star; user++)
		friends->of[friends->pairs++] = user;
	friends->first[1] = friends->pairs;
}

static void befriend_ring(struct friends *friends, uint32_t user, size_t star, size_t each)
{
	size_t ring = friends->users - 1, stride = stride_of(ring);
	size_t begin = friends->pairs;

	if (user <= star)
		friends->of[friends->pairs++] = 0;
	for (size_t i = 1; i <= each / 2; i++) {
		size_t away = i * stride % ring;

		friends->of[friends->pairs++] = (uint32_t)(1 + (user - 1 + away) % ring);
		friends->of[friends->pairs++] = (uint32_t)(1 + (user - 1 + ring - away) % ring);
	}
	qsort(friends->of + begin, friends->pairs - begin, sizeof(*friends->of), compare);
	friends->first[user + 1] = friends->pairs;
}

void friends_init(struct friends *friends, size_t users, size_t star, size_t each)
{
	size_t pairs = 2 * star + users * each;

	*friends = (struct friends){ .users = users };
	friends->ids = xcalloc(users, sizeof(*friends->ids));
	friends->first = xcalloc(users + 1, sizeof(*friends->first));
	friends->of = xcalloc(pairs, sizeof(*friends->of));
	friends->believed = xcalloc(pairs, 1);
	friends->is = xcalloc(users, 1);
	friends->watches = xcalloc(users, sizeof(*friends->watches));
	befriend_star(friends, star);
	for (uint32_t user = 1; user < users; user++)
		befriend_ring(friends, user, star, each);
	for (uint32_t user = 0; user < users; user++) {
		(void)snprintf(
		    friends->ids[user], FRIENDS_ID_SIZE, FRIENDS_PREFIX "%07" PRIu32, user);
		friends->is[user] = PRESENCE(OFFLINE);
		friends_forget(friends, user);
	}
}

void friends_finish(struct friends *friends)
{
	free(friends->ids);
	free(friends->first);
	free(friends->of);
	free(friends->believed);
	free(friends->is);
	free(friends->watches);
}

bool friends_number(const struct friends *friends, const char *id, size_t len, uint32_t *ret_user)
{
	size_t prefix = sizeof(FRIENDS_PREFIX) - 1;
	uint32_t user = 0;

	if (len != FRIENDS_ID_SIZE - 1 || memcmp(id, FRIENDS_PREFIX, prefix) != 0)
		return false;
	for (size_t i = prefix; i < len; i++)
		user = user * 10 + (uint32_t)(id[i] - '0');
	*ret_user = user;
	return user < friends->users;
}

/* --- in the database --- */

enum { ADD };
static const struct db_statement statements[] = {
	[ADD] = { "add", "INSERT INTO presence.friends (user_id, friend_id)"
			 " SELECT * FROM unnest($1::text[], $2::text[])" },
};

static void store_rows(struct db *db, const char **users, const char **others, size_t len)
{
	struct db_params params;
	struct err err = ERR_INIT;

	db_params_init(&params);
	db_add_text_array(&params, users, len);
	db_add_text_array(&params, others, len);
	bench_must(db_run(db, ADD, &params, NULL, &err), &err);
}

static void store_all(const struct friends *friends, struct db *db)
{
	const char *users[ROWS], *others[ROWS];
	size_t len = 0;

	for (size_t user = 0; user < friends->users; user++) {
		for (size_t i = friends->first[user]; i < friends->first[user + 1]; i++) {
			users[len] = friends->ids[user];
			others[len++] = friends->ids[friends->of[i]];
			if (len < ROWS)
				continue;
			store_rows(db, users, others, len);
			len = 0;
		}
	}
	store_rows(db, users, others, len);
}

void friends_store(const struct friends *friends, const char *dsn)
{
	struct db_config cfg = { .dsn = dsn,
		.application_name = "bench",
		.statements = statements,
		.statements_len = 1,
		.statement_timeout_ms = 60000,
		.lock_timeout_ms = 5000 };
	struct err err = ERR_INIT;
	struct db *db;

	bench_must(db_open(&cfg, &db, &err), &err);
	store_all(friends, db);
	/* What the server would have done by then, and must not do while we measure. */
	bench_must(db_exec(db, "VACUUM ANALYZE presence.friends", &err), &err);
	db_close(db);
}

/* --- beliefs --- */

void friends_forget(struct friends *friends, uint32_t user)
{
	memset(friends->believed + friends->first[user], PRESENCE(OFFLINE),
	    friends->first[user + 1] - friends->first[user]);
}

void friends_believe(
    struct friends *friends, uint32_t user, uint32_t friend_of, PresenceStatus status)
{
	const uint32_t *begin = friends->of + friends->first[user];
	const uint32_t *at = bsearch(&friend_of, begin,
	    friends->first[user + 1] - friends->first[user], sizeof(*begin), compare);

	if (at)
		friends->believed[at - friends->of] = (uint8_t)status;
	else
		friends->strangers++;
}

struct friends_difference friends_compare(const struct friends *friends)
{
	struct friends_difference result = { 0 };

	for (size_t user = 0; user < friends->users; user++) {
		if (!friends->watches[user])
			continue;
		result.watchers++;
		for (size_t i = friends->first[user]; i < friends->first[user + 1]; i++) {
			result.pairs++;
			result.wrong += friends->believed[i] != friends->is[friends->of[i]];
		}
	}
	return result;
}
