/*
 * notifications: the handlers of this service, one file each (handle_<verb>.c), and its routes.
 *
 * A handler fills req->reply, or fails; the dispatcher answers.
 */
#ifndef NOTIFICATIONS_NOTIFICATIONS_H
#define NOTIFICATIONS_NOTIFICATIONS_H

#include "applier.h"
#include "balances.h"

/* What handlers find in req->ctx. */
struct notifications {
	const struct notifications_config *cfg;
	struct applier_health health;
	struct balances *balances; /* set before anything is served */
};

extern const struct route notifications_routes[];
extern const size_t notifications_routes_len;

/* ww.svc.notifications.<verb>: what edges ask, mostly for a user */
enum status notifications_on_open(struct request *req, struct err *err);
enum status notifications_on_since(struct request *req, struct err *err);
enum status notifications_on_heads(struct request *req, struct err *err);
enum status notifications_on_announcements(struct request *req, struct err *err);
enum status notifications_on_list(struct request *req, struct err *err);
enum status notifications_on_seen(struct request *req, struct err *err);
enum status notifications_on_read(struct request *req, struct err *err);
enum status notifications_on_archive(struct request *req, struct err *err);
enum status notifications_on_unread(struct request *req, struct err *err);
enum status notifications_on_track(struct request *req, struct err *err);
enum status notifications_on_balances(struct request *req, struct err *err);

/* ww.backend.notifications.<verb>: what back ends and operators ask */
enum status notifications_on_erase(struct request *req, struct err *err);
enum status notifications_on_export(struct request *req, struct err *err);
enum status notifications_on_recall(struct request *req, struct err *err);
enum status notifications_on_revoke(struct request *req, struct err *err);
enum status notifications_on_verify(struct request *req, struct err *err);

#endif
