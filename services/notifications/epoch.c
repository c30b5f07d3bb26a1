/* One row, locked while it is compared, so that two replicas do not mint one epoch each. */
#include "epoch.h"

#include <stdio.h>

#include "log/log.h"
#include "store.h"

enum { ATTEMPTS = 3 };

struct job {
	struct arena arena;
	char epoch[ID_SIZE];
	bool minted;
};

static enum status compare(void *arg, struct db *db, struct err *err)
{
	struct job *job = arg;
	struct store_identity identity;
	enum status s = store_identity_lock(db, &job->arena, &identity, err);

	if (s)
		return s;
	job->minted = !identity.same || !identity.epoch[0];
	if (job->minted) {
		id_random(job->epoch);
		return store_identity_set(db, job->epoch, err);
	}
	(void)snprintf(job->epoch, sizeof(job->epoch), "%s", identity.epoch);
	return STATUS_OK;
}

enum status epoch_ensure(struct db *db, char ret_epoch[static ID_SIZE], struct err *err)
{
	struct job job = { 0 };
	enum status s;

	arena_init(&job.arena, 0);
	s = db_transaction(db, ATTEMPTS, compare, &job, err);
	arena_finish(&job.arena);
	if (s)
		return err_prefix(err, "epoch");
	if (job.minted)
		log_info("a new history of this database begins");
	memcpy(ret_epoch, job.epoch, ID_SIZE);
	return STATUS_OK;
}
