/*
 * chat: the handlers of this service, one file each (handle_<verb>.c), its routes, and what they
 * share.
 */
#ifndef CHAT_CHAT_H
#define CHAT_CHAT_H

#include "config.h"
#include "messages.h"

/* What handlers find in req->ctx. */
struct chat {
	const struct chat_config *cfg;
	struct friends *friends;
	_Atomic bool prepared; /* the database is as it should be */
};

extern const struct route chat_routes[];
extern const size_t chat_routes_len;

static inline const struct chat *chat_of(const struct request *req)
{
	return req->ctx;
}

/* An event was committed: whichever replica publishes them does so at once. A message that is lost
 * costs a moment. */
#define CHAT_NUDGE "ww.chat.changed"
void chat_nudge(struct bus *bus);

/* ww.svc.chat.<verb> */
enum status chat_on_block(struct request *req, struct err *err);
enum status chat_on_blocks(struct request *req, struct err *err);
enum status chat_on_create(struct request *req, struct err *err);
enum status chat_on_delete(struct request *req, struct err *err);
enum status chat_on_edit(struct request *req, struct err *err);
enum status chat_on_history(struct request *req, struct err *err);
enum status chat_on_invite(struct request *req, struct err *err);
enum status chat_on_join(struct request *req, struct err *err);
enum status chat_on_leave(struct request *req, struct err *err);
enum status chat_on_read(struct request *req, struct err *err);
enum status chat_on_remove(struct request *req, struct err *err);
enum status chat_on_rename(struct request *req, struct err *err);
enum status chat_on_report(struct request *req, struct err *err);
enum status chat_on_role(struct request *req, struct err *err);
enum status chat_on_rooms(struct request *req, struct err *err);
enum status chat_on_send(struct request *req, struct err *err);
enum status chat_on_typing(struct request *req, struct err *err);
enum status chat_on_unblock(struct request *req, struct err *err);
enum status chat_on_view(struct request *req, struct err *err);
enum status chat_on_views(struct request *req, struct err *err);

/* ww.backend.chat.<verb> */
enum status chat_on_erase(struct request *req, struct err *err);
enum status chat_on_export(struct request *req, struct err *err);
enum status chat_on_hold(struct request *req, struct err *err);
enum status chat_on_reports(struct request *req, struct err *err);

#endif
