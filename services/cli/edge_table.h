/*
 * edge_table: a line for every edge and one for all of them, in columns that are declared.
 *
 * A column is a metric and what to make of it. Rates, and the latency of what happened meanwhile,
 * need an earlier list; without one, or for an edge that is not in it, they are "-".
 */
#ifndef CLI_EDGE_TABLE_H
#define CLI_EDGE_TABLE_H

#include "base/buf.h"
#include "edge_stats.h"

enum edge_column_kind {
	COLUMN_SUM,  /* as it is; of all edges the sum */
	COLUMN_MOST, /* as it is; of all edges the greatest */
	COLUMN_RATE, /* per second since the earlier list */
	COLUMN_P50,  /* of a histogram: since the earlier list if there is one, else ever */
	COLUMN_P99,
};

enum edge_column_unit { UNIT_NONE, UNIT_BYTES, UNIT_US, UNIT_SECONDS };

struct edge_column {
	const char *title;
	int width;
	enum edge_column_kind kind;
	const char *metric;
	const char *label; /* NULL: all */
	enum edge_column_unit unit;
};

void edge_table_append(struct buf *out, const struct edge_column *columns, size_t columns_len,
    const struct edge_stats_list *now, const struct edge_stats_list *earlier_or_null);

/* "12.5M", "7.1ms", "3d04h"; for one number of a unit. */
enum { EDGE_VALUE_SIZE = 32 };
void edge_table_value(
    double value, enum edge_column_unit unit, char ret_text[static EDGE_VALUE_SIZE]);

#endif
