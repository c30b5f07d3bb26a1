/* A small table of pairs, each in the one place that its hash gives it: a newer one takes it. */
#include "friends.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/xalloc.h"
#include "codec/reflect.h"
#include "stats.h"
#include "walletwire/v1/presence.pb-c.h"

enum { PLACES = 4096, BELIEVED_MS = 10000, ASK_MS = 2000 };

struct pair {
	char *user_id, *other_id; /* NULL: none */
	int64_t until;
};

struct friends {
	pthread_mutex_t lock;
	struct pair pairs[PLACES]; /* guarded by the lock */
};

struct friends *friends_new(void)
{
	struct friends *friends = xcalloc(1, sizeof(*friends));

	(void)pthread_mutex_init(&friends->lock, NULL);
	return friends;
}

static void forget(struct pair *pair)
{
	free(pair->user_id);
	free(pair->other_id);
	*pair = (struct pair){ 0 };
}

void friends_free(struct friends *friends)
{
	if (!friends)
		return;
	for (size_t i = 0; i < PLACES; i++)
		forget(&friends->pairs[i]);
	(void)pthread_mutex_destroy(&friends->lock);
	free(friends);
}

/* FNV-1a; who finds ids that meet in one place costs himself the cache. */
static uint64_t hash(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * UINT64_C(1099511628211);
	return (h ^ 0xff) * UINT64_C(1099511628211);
}

static struct pair *place_of(struct friends *friends, const char *user_id, const char *other_id)
{
	uint64_t h = hash(hash(UINT64_C(14695981039346656037), user_id), other_id);

	return &friends->pairs[h % PLACES];
}

static bool is_known(struct friends *friends, const char *user_id, const char *other_id)
{
	const struct pair *pair = place_of(friends, user_id, other_id);
	bool known;

	(void)pthread_mutex_lock(&friends->lock);
	known = pair->user_id && pair->until > clock_mono_ms() &&
		strcmp(pair->user_id, user_id) == 0 && strcmp(pair->other_id, other_id) == 0;
	(void)pthread_mutex_unlock(&friends->lock);
	return known;
}

static void learn(struct friends *friends, const char *user_id, const char *other_id)
{
	struct pair *pair = place_of(friends, user_id, other_id);

	(void)pthread_mutex_lock(&friends->lock);
	forget(pair);
	*pair = (struct pair){ xstrdup(user_id), xstrdup(other_id), clock_mono_ms() + BELIEVED_MS };
	(void)pthread_mutex_unlock(&friends->lock);
}

/* Those of `ids` who are friends, in the arena. */
static enum status ask(struct request *req, char **ids, size_t len,
    Walletwire__V1__PresenceFriendsAmongReply **ret_reply, struct err *err)
{
	Walletwire__V1__PresenceFriendsAmongRequest *request =
	    MESSAGE_NEW(req->arena, presence_friends_among_request);
	struct bus_msg *msg = NULL;
	ProtobufCMessage *reply = NULL;
	enum status s;

	request->caller = MESSAGE_NEW(req->arena, caller);
	request->caller->user_id = arena_strdup(req->arena, req->user_id);
	request->user_ids = ids;
	request->n_user_ids = len;
	stats_count(STATS_FRIENDS_ASKED, 1);
	s = bus_request(req->bus, "ww.svc.presence.friends_among",
	    message_pack(&request->base, req->arena), ASK_MS, &msg, err);
	if (s) {
		(void)err_prefix(err, "ask who is a friend");
		return s;
	}
	s = reflect_unpack(&walletwire__v1__presence_friends_among_reply__descriptor,
	    bus_msg_data(msg), req->arena, &reply, err);
	bus_msg_unref(msg);
	if (s)
		return err_set(err, STATUS_INTERNAL, "who is a friend: no such answer");
	*ret_reply = (void *)reply;
	if ((*ret_reply)->error)
		return err_set(
		    err, STATUS_UNAVAILABLE, "who is a friend: %s", (*ret_reply)->error->code);
	return STATUS_OK;
}

enum status friends_require(struct friends *friends, struct request *req, const char *field,
    const char *const *others, size_t len, struct err *err)
{
	char **unknown = arena_alloc(req->arena, len * sizeof(*unknown));
	Walletwire__V1__PresenceFriendsAmongReply *reply = NULL;
	size_t n = 0;
	enum status s;

	for (size_t i = 0; i < len; i++) {
		if (!is_known(friends, req->user_id, others[i]))
			unknown[n++] = arena_strdup(req->arena, others[i]);
	}
	if (n == 0)
		return STATUS_OK;
	s = ask(req, unknown, n, &reply, err);
	if (s)
		return s;
	assert(reply);
	for (size_t i = 0; i < reply->n_user_ids; i++)
		learn(friends, req->user_id, reply->user_ids[i]);
	if (reply->n_user_ids == n)
		return STATUS_OK;
	(void)err_invalid(err, field, "may only name friends");
	err->status = STATUS_FORBIDDEN;
	return STATUS_FORBIDDEN;
}
