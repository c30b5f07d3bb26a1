/* A hash of bucket keys under a mutex. */
#include "revoked.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/subject.h"
#include "base/xalloc.h"
#include "bus/provision.h"

struct entry {
	UT_hash_handle hh;
	int64_t before_s; /* of a user */
	unsigned pass;    /* the reading of the bucket that found it */
	char key[];
};

struct revoked {
	struct bus_kv_watch *watch;
	void (*on_new)(void *arg);
	void *arg;
	pthread_mutex_t lock; /* guards what is below */
	struct entry *table;
	unsigned pass; /* readings completed */
	bool known;
};

static int64_t seconds_of(struct bytes value)
{
	int64_t s = 0;

	for (size_t i = 0; i < value.len && i < 15; i++) {
		if (value.data[i] < '0' || value.data[i] > '9')
			break;
		s = s * 10 + (value.data[i] - '0');
	}
	return s;
}

/* Returns whether this says more than was known. */
static bool put(struct revoked *revoked, const char *key, struct bytes value)
{
	size_t size = strlen(key) + 1;
	int64_t before_s = seconds_of(value);
	struct entry *entry;
	bool is_new;

	HASH_FIND_STR(revoked->table, key, entry);
	is_new = !entry || entry->before_s != before_s;
	if (!entry) {
		entry = xcalloc(1, sizeof(*entry) + size);
		memcpy(entry->key, key, size);
		HASH_ADD_STR(revoked->table, key, entry);
	}
	entry->before_s = before_s;
	entry->pass = revoked->pass;
	return is_new;
}

static void forget(struct revoked *revoked, const char *key)
{
	struct entry *entry;

	HASH_FIND_STR(revoked->table, key, entry);
	if (entry) {
		HASH_DEL(revoked->table, entry);
		free(entry);
	}
}

/* The bucket was read from its start: what this reading did not find has gone from it. */
static void complete(struct revoked *revoked)
{
	struct entry *entry, *next;

	HASH_ITER (hh, revoked->table, entry, next) {
		if (entry->pass != revoked->pass) {
			/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked, then freed */
			HASH_DEL(revoked->table, entry);
			free(entry);
		}
	}
	revoked->pass++;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): likewise */
	HASH_ITER (hh, revoked->table, entry, next)
		entry->pass = revoked->pass;
	revoked->known = true;
}

static void on_change(void *arg, const char *key, struct bytes value)
{
	struct revoked *revoked = arg;
	bool is_new = false;

	(void)pthread_mutex_lock(&revoked->lock);
	if (!key)
		complete(revoked);
	else if (value.data)
		is_new = put(revoked, key, value);
	else
		forget(revoked, key);
	(void)pthread_mutex_unlock(&revoked->lock);
	if (is_new)
		revoked->on_new(revoked->arg);
}

enum status revoked_start(struct bus *bus, void (*on_new)(void *arg), void *arg,
    struct revoked **ret_revoked, struct err *err)
{
	struct revoked *revoked = xcalloc(1, sizeof(*revoked));
	enum status s;

	revoked->on_new = on_new;
	revoked->arg = arg;
	(void)pthread_mutex_init(&revoked->lock, NULL);
	s = bus_kv_watch(bus, BUCKET_REVOKED, on_change, revoked, &revoked->watch, err);
	if (s) {
		free(revoked);
		return s;
	}
	*ret_revoked = revoked;
	return STATUS_OK;
}

void revoked_stop(struct revoked *revoked)
{
	struct entry *entry, *next;

	if (!revoked)
		return;
	bus_kv_unwatch(revoked->watch);
	HASH_ITER (hh, revoked->table, entry, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked before it is freed */
		HASH_DEL(revoked->table, entry);
		free(entry);
	}
	(void)pthread_mutex_destroy(&revoked->lock);
	free(revoked);
}

bool revoked_is_known(struct revoked *revoked)
{
	bool known;

	(void)pthread_mutex_lock(&revoked->lock);
	known = revoked->known;
	(void)pthread_mutex_unlock(&revoked->lock);
	return known;
}

static struct entry *find(struct revoked *revoked, const char *prefix, const char *id)
{
	char key[SUBJECT_SIZE];
	struct entry *entry = NULL;

	if (id[0] && !subject_with_id(prefix, id, key, NULL))
		HASH_FIND_STR(revoked->table, key, entry);
	return entry;
}

bool revoked_check(struct revoked *revoked, const char *user_id, const char *jti, int64_t iat_s)
{
	const struct entry *user;
	bool is_revoked;

	(void)pthread_mutex_lock(&revoked->lock);
	user = find(revoked, "user.", user_id);
	is_revoked = find(revoked, "jti.", jti) || (user && iat_s <= user->before_s);
	(void)pthread_mutex_unlock(&revoked->lock);
	return is_revoked;
}
