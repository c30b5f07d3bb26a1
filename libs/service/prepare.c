/* Again and again, until it is done or hopeless. */
#include "service/prepare.h"

#include <time.h>

#include "log/log.h"

enum { RETRY_MS = 250 };

enum status service_prepare(
    struct service *service, const struct db_config *cfg, prepare_fn fn, struct err *err)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	struct db *db = NULL;
	bool told = false;
	enum status s = db_open(cfg, &db, err);

	if (s)
		return s;
	do {
		struct err why = ERR_INIT;

		s = fn(db, &why);
		if (!s || !status_is_temporary(s)) {
			if (s)
				*err = why;
			break;
		}
		if (!told)
			log_failure(&why, "waiting for the database");
		told = true;
		(void)nanosleep(&pause, NULL);
	} while (!service_is_stopping(service));
	db_close(db);
	return s && status_is_temporary(s) ? STATUS_OK : s;
}
