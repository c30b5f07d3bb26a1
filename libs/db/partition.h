/*
 * partition: tables that are partitioned by a time, and lose what is old by whole partitions.
 *
 * Partitions begin at multiples of their length, counted from 1970 in UTC, and are named for that
 * hour: <table>_YYYYMMDD for whole days, else <table>_YYYYMMDDHH. So names sort as times do.
 */
#ifndef DB_PARTITION_H
#define DB_PARTITION_H

#include "db/db.h"

struct db_partitions {
	const char *table; /* "notifications.mailbox": with its schema */
	int hours;         /* of each; whole days or a part of a day */
};

/* Which one holds a time; counted from 1970. */
int64_t db_partition_of(const struct db_partitions *partitions, int64_t wall_us);

/* Those from `first` to `last`, unless they are there. Locks out nobody who reads or writes. */
enum status db_partitions_make(struct db *db, const struct db_partitions *partitions, int64_t first,
    int64_t last, struct err *err) MUST_CHECK;

/*
 * Drops all before `first`, which locks the whole table for a moment: STATUS_UNAVAILABLE at once if
 * somebody, a backup say, holds a lock that this would wait for, since others would wait behind.
 */
enum status db_partitions_drop(struct db *db, const struct db_partitions *partitions, int64_t first,
    struct err *err) MUST_CHECK;

#endif
