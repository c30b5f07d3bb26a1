/* The row first: if the copy in the bucket fails, nothing is forgotten. */
#include "revoke.h"

#include "base/clock.h"
#include "revoked.h"
#include "store.h"

enum { ATTEMPTS = 3 };

/* A unit of work that can be run again. */
struct job {
	const struct revocation *revocation;
	const char *kind;
	int64_t now_us;
	struct arena *arena;
	struct audit audit;
};

static enum status run(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	const struct revocation *r = job->revocation;
	enum status s = store_revoke(db, job->kind, r->id, job->now_us, r->reason, err);
	AuditRecord *record;

	if (s)
		return s;
	audit_begin(&job->audit, &store_audit, &r->by, job->arena, job->now_us);
	record = audit_record(&job->audit, AUDIT_ACTION(TOKENS_REVOKED), 1);
	if (r->is_user)
		(void)audit_record_user(record, r->id);
	else
		audit_record_id(record, r->id);
	audit_add(&job->audit, record);
	return audit_write(&job->audit, db, err);
}

enum status revoke_tokens(struct request *req, const struct revocation *revocation, struct err *err)
{
	struct job job = { .revocation = revocation,
		.kind = revocation->is_user ? "user" : "jti",
		.now_us = clock_wall_us(),
		.arena = req->arena };
	enum status s = db_transaction(req->db, ATTEMPTS, run, &job, err);

	return s ? s : revoked_put(req->bus, job.kind, revocation->id, job.now_us, err);
}
