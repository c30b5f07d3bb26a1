/*
 * presence: the handlers of this service, one file each (handle_<verb>.c), its routes, and what
 * they share with the ears (listen.h) and the speaker (speaker.h).
 */
#ifndef PRESENCE_PRESENCE_H
#define PRESENCE_PRESENCE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/message.h"
#include "config.h"
#include "roster.h"
#include "store.h"

typedef Walletwire__V1__PresenceUpdate PresenceUpdate;

/* Who went offline is remembered for so long, for whoever speaks next. */
enum { PRESENCE_KEEP_MS = 120000 };

/* What handlers find in req->ctx. */
struct presence {
	const struct presence_config *cfg;
	pthread_mutex_t lock; /* of the roster */
	struct roster *roster;
	_Atomic int64_t listening_since;   /* ms of the monotonic clock; 0: not connected */
	_Atomic(struct speaker *) speaker; /* NULL before it was started */
};

/* Has everybody been heard who is there? */
bool presence_knows(const struct presence *presence);

extern const struct route presence_routes[];
extern const size_t presence_routes_len;

/* ww.svc.presence.<verb> */
enum status presence_on_get(struct request *req, struct err *err);
enum status presence_on_friends(struct request *req, struct err *err);
enum status presence_on_friends_among(struct request *req, struct err *err);
enum status presence_on_privacy(struct request *req, struct err *err);

/* ww.backend.presence.<verb> */
enum status presence_on_friends_set(struct request *req, struct err *err);
enum status presence_on_export(struct request *req, struct err *err);
enum status presence_on_erase(struct request *req, struct err *err);

/* What may be said of somebody, in the arena; `seen_us` 0: nothing is known. */
PresenceUpdate *presence_update(
    const char *user_id, PresenceStatus status, int64_t seen_us, struct arena *arena);
/* What friends may know of these people now. UNAVAILABLE before enough was heard. */
enum status presence_of(struct presence *presence, const struct store_person *people, size_t len,
    struct arena *arena, PresenceUpdate ***ret_updates, struct err *err) MUST_CHECK;

#endif
