/* Replicas may do this at the same time: each step is idempotent and locks what it compares. */
#include "prepare.h"

#include <time.h>

#include "epoch.h"
#include "log/log.h"
#include "store.h"

enum { RETRY_MS = 250 };

static enum status prepare(struct db *db, struct err *err)
{
	char epoch[ID_SIZE];
	enum status s = db_migrate(db, STORE_SCHEMA, store_migrations, store_migrations_len, err);

	return s ? s : epoch_ensure(db, epoch, err);
}

enum status prepare_database(
    const char *url, const char *name, struct service *service, struct err *err)
{
	const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000L };
	struct db_config cfg = { .dsn = url,
		.application_name = name,
		.statements = store_statements,
		.statements_len = store_statements_len };
	struct db *db = NULL;
	bool told = false;
	enum status s = db_open(&cfg, &db, err);

	if (s)
		return s;
	do {
		struct err why = ERR_INIT;

		s = prepare(db, &why);
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
