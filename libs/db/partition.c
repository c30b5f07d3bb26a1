/* The server compares names, so that nothing but them is kept of what there is. */
#include "db/partition.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NAME_SIZE = 64, SQL_SIZE = 1024, SECONDS_PER_HOUR = 3600, HOURS_PER_DAY = 24 };

static const int64_t HOUR_US = INT64_C(3600) * 1000000;

int64_t db_partition_of(const struct db_partitions *partitions, int64_t wall_us)
{
	return wall_us / (partitions->hours * HOUR_US);
}

static struct tm begin_of(const struct db_partitions *partitions, int64_t number)
{
	time_t at = (time_t)(number * partitions->hours * SECONDS_PER_HOUR);
	struct tm tm;

	(void)gmtime_r(&at, &tm);
	return tm;
}

/* "mailbox_20250123", without the schema. */
static void name_of(
    const struct db_partitions *partitions, int64_t number, char ret_name[static NAME_SIZE])
{
	const char *table = strchr(partitions->table, '.') + 1;
	struct tm tm = begin_of(partitions, number);
	char date[16];

	(void)strftime(
	    date, sizeof(date), partitions->hours % HOURS_PER_DAY ? "%Y%m%d%H" : "%Y%m%d", &tm);
	(void)snprintf(ret_name, NAME_SIZE, "%s_%s", table, date);
}

static void time_of(
    const struct db_partitions *partitions, int64_t number, char ret_time[static NAME_SIZE])
{
	struct tm tm = begin_of(partitions, number);

	(void)strftime(ret_time, NAME_SIZE, "%Y-%m-%d %H:%M+00", &tm);
}

static enum status make(
    struct db *db, const struct db_partitions *partitions, int64_t number, struct err *err)
{
	int schema = (int)(strchr(partitions->table, '.') - partitions->table);
	char name[NAME_SIZE], from[NAME_SIZE], to[NAME_SIZE], full[2 * NAME_SIZE], sql[SQL_SIZE];
	enum status s;

	name_of(partitions, number, name);
	time_of(partitions, number, from);
	time_of(partitions, number + 1, to);
	(void)snprintf(full, sizeof(full), "%.*s.%s", schema, partitions->table, name);
	/* Made apart and then attached: that locks out nobody but whoever makes it at the same
	 * time, and finds it then. */
	(void)snprintf(sql, sizeof(sql),
	    "DO $$ BEGIN IF to_regclass('%s') IS NULL THEN"
	    " LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE; END IF;"
	    " IF to_regclass('%s') IS NULL THEN CREATE TABLE %s (LIKE %s INCLUDING ALL);"
	    " ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM ('%s') TO ('%s'); END IF; END $$",
	    full, partitions->table, full, full, partitions->table, partitions->table, full, from,
	    to);
	s = db_exec(db, sql, err);
	return s ? err_prefix(err, "make %s", full) : s;
}

enum status db_partitions_make(struct db *db, const struct db_partitions *partitions, int64_t first,
    int64_t last, struct err *err)
{
	enum status s = STATUS_OK;

	for (int64_t number = first; number <= last && !s; number++)
		s = make(db, partitions, number, err);
	return s;
}

enum status db_partitions_drop(
    struct db *db, const struct db_partitions *partitions, int64_t first, struct err *err)
{
	char name[NAME_SIZE], sql[SQL_SIZE];
	enum status s;

	name_of(partitions, first, name);
	(void)snprintf(sql, sizeof(sql),
	    "DO $$ DECLARE old text; BEGIN FOR old IN SELECT c.oid::regclass::text"
	    " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
	    " WHERE i.inhparent = '%s'::regclass AND c.relname::text COLLATE \"C\" < '%s' ORDER BY "
	    "1"
	    " LOOP EXECUTE 'DROP TABLE ' || old; END LOOP; END $$",
	    partitions->table, name);
	s = db_begin(db, err);
	if (!s)
		s = db_exec(db, "SET LOCAL lock_timeout = '200ms'", err);
	if (!s)
		s = db_exec(db, sql, err);
	if (!s)
		s = db_commit(db, err);
	if (s)
		db_rollback(db);
	return s ? err_prefix(err, "drop what is before %s", name) : s;
}
