/* What goes is first signed for, so that the rest can be verified without it. */
#include "upkeep.h"

#include <inttypes.h>

#include "log/log.h"
#include "stats.h"

static enum status anchor(struct heads *heads, struct db *db, struct err *err)
{
	struct ledger_head last[SHARDS_MAX];
	size_t len = 0;
	enum status s = store_expired(db, last, &len, err);

	for (size_t i = 0; i < len && !s; i++)
		s = heads_tell_other(heads, db, &last[i], err);
	return s;
}

enum status upkeep(struct heads *heads, struct db *db, int64_t *ret_dropped, struct err *err)
{
	enum status s = store_make_partitions(db, err);

	*ret_dropped = 0;
	if (!s)
		s = anchor(heads, db, err);
	if (!s)
		s = store_drop_expired(db, ret_dropped, err);
	if (*ret_dropped > 0)
		log_info("%" PRId64 " partitions dropped: the policy keeps them no longer",
		    *ret_dropped);
	stats_count(STATS_DROPPED, *ret_dropped);
	return s;
}
