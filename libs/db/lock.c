/* The server's lock is re-entrant, so it is never taken twice on one connection. */
#include "db/db.h"

enum status db_lock_check(struct db_lock *lock, struct db *db, struct err *err)
{
	enum status s = db_ensure(db, err);

	if (s || db_generation(db) != lock->generation)
		lock->held = false;
	return s;
}

enum status db_lock_try(struct db_lock *lock, struct db *db, size_t index, struct err *err)
{
	struct db_result *result = NULL;
	struct db_params params;
	enum status s;

	db_params_init(&params);
	s = db_run(db, index, &params, &result, err);
	if (s)
		return s;
	lock->held = db_get_bool(result, 0, 0);
	lock->generation = db_generation(db);
	db_result_free(result);
	return STATUS_OK;
}
