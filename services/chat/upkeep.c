/* A turn: hold the lock, make, drop, forget. */
#include "upkeep.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "log/log.h"
#include "service/turns.h"
#include "stats.h"
#include "store.h"

enum {
	BEHIND = 1, /* for a replica whose clock is behind */
	AHEAD = 8,  /* two days without upkeep */
	TURN_MS = 600000,
	RETRY_MS = 10000,
	STANDBY_MS = 30000,
};

struct upkeep {
	const struct chat_config *cfg;
	struct db *db;
	struct turns *turns;

	/* owned by the thread */
	struct db_lock lock;
};

enum status upkeep_make(struct db *db, struct err *err)
{
	int64_t now = db_partition_of(&store_expiring, clock_wall_us());

	return db_partitions_make(db, &store_expiring, now - BEHIND, now + AHEAD, err);
}

static enum status drop(struct upkeep *upkeep, struct err *err)
{
	int64_t cutoff_us = clock_wall_us() - upkeep->cfg->retention * 1000;
	int64_t first = db_partition_of(&store_expiring, cutoff_us);
	int64_t made = db_partition_of(&store_expiring, clock_wall_us()) - BEHIND;

	/* What was just made for clocks that are behind stays. */
	return db_partitions_drop(upkeep->db, &store_expiring, first < made ? first : made, err);
}

static enum status keep_up(struct upkeep *upkeep, struct err *err)
{
	enum status s = upkeep_make(upkeep->db, err);

	if (!s)
		s = drop(upkeep, err);
	/* What was said in a room that ended so long ago has expired with it. */
	if (!s)
		s = store_forget_rooms(
		    upkeep->db, clock_wall_us() - upkeep->cfg->retention * 1000, err);
	if (!s)
		s = store_forget_reports(
		    upkeep->db, clock_wall_us() - upkeep->cfg->report_retention * 1000, err);
	return s;
}

static int64_t turn(void *arg)
{
	struct upkeep *upkeep = arg;
	struct err err = ERR_INIT;
	enum status s = db_lock_check(&upkeep->lock, upkeep->db, &err);

	if (!s && !upkeep->lock.held)
		s = db_lock_try(&upkeep->lock, upkeep->db, store_upkeep_lock, &err);
	if (!s && !upkeep->lock.held)
		return STANDBY_MS;
	if (!s)
		s = keep_up(upkeep, &err);
	if (!s)
		return TURN_MS;
	log_failure(&err, "keep the tables in shape");
	stats_count(STATS_UPKEEP_FAILED, 1);
	return RETRY_MS;
}

enum status upkeep_start(
    const struct chat_config *cfg, const char *name, struct upkeep **ret_upkeep, struct err *err)
{
	struct upkeep *upkeep = xcalloc(1, sizeof(*upkeep));
	char *connection = xasprintf("%s/upkeep", name);
	struct db_config db = { .dsn = cfg->service.database_url,
		.application_name = connection,
		.statements = store_statements,
		.statements_len = store_statements_len };
	enum status s = db_open(&db, &upkeep->db, err);

	upkeep->cfg = cfg;
	free(connection);
	if (!s)
		s = turns_start(turn, upkeep, &upkeep->turns, err);
	if (s) {
		db_close(upkeep->db);
		free(upkeep);
		return s;
	}
	*ret_upkeep = upkeep;
	return STATUS_OK;
}

void upkeep_stop(struct upkeep *upkeep)
{
	if (!upkeep)
		return;
	turns_stop(upkeep->turns);
	db_close(upkeep->db);
	free(upkeep);
}
