/* store_rows: what several statements answer or ask for in the same way. */
#ifndef CHAT_STORE_ROWS_H
#define CHAT_STORE_ROWS_H

#include "store.h"
#include "store_sql.h"

/* Columns SQL_MESSAGE, from `column` on. */
struct store_message store_get_message(
    const struct db_result *r, size_t row, size_t column, struct arena *arena);
/* All rows of a result, which is freed. */
struct store_message *store_take_messages(struct db_result *r, struct arena *arena, size_t *ret_n);

/* The statement's first text; "" without a row. */
enum status store_run_text(struct db *db, enum statement statement, struct db_params *p,
    struct arena *arena, const char **ret_text, struct err *err) MUST_CHECK;

#endif
