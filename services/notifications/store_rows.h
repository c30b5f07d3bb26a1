/* store_rows: from result rows to messages; shared by the store_*.c files. */
#ifndef NOTIFICATIONS_STORE_ROWS_H
#define NOTIFICATIONS_STORE_ROWS_H

#include "base/arena.h"
#include "db/db.h"
#include "messages.h"

/* Columns as in SQL_ITEM, the first one at column 0. */
enum status row_item(const struct db_result *r, size_t row, struct arena *arena, Item **ret_item,
    struct err *err) MUST_CHECK;
/* The inbox block of such a row; the row has one. */
Notification *row_notification(const struct db_result *r, size_t row, struct arena *arena);
/* A packed Payload. */
enum status row_payload(const struct db_result *r, size_t row, size_t column, struct arena *arena,
    Payload **ret_payload, struct err *err) MUST_CHECK;
/* A text[] column. */
char **row_texts(
    const struct db_result *r, size_t row, size_t column, struct arena *arena, size_t *ret_n);
/* Columns as in SQL_LOG_ENTRY. */
LogEntry *row_log_entry(const struct db_result *r, size_t row, struct arena *arena);
/* Columns as in SQL_ANNOUNCEMENT, from `column` on; its number comes later. */
LogEntry *row_announced(const struct db_result *r, size_t row, size_t column, struct arena *arena);
/* Columns countries, languages, tiers; NULL for everybody. */
Segment *row_segment(const struct db_result *r, size_t row, size_t column, struct arena *arena);

/* Those of a user without a row, and one row of SQL_MARKS more. */
Marks *marks_new(struct arena *arena);
void row_mark(const struct db_result *r, size_t row, Marks *marks, struct arena *arena);

/* Adds n of a type and priority to counters; rows come sorted by type. */
void unread_add(Unread *unread, int type, int priority, int64_t n, struct arena *arena);

#endif
