/* Events a second at the peak of a day, who applies them, and what they fill. */
#include "base/attrs.h"
#include "measured.h"
#include "sim.h"

enum {
	DAY_S = 86400,
	PEAK = 5, /* times the mean */
	ROOM = 2, /* an applier is planned for half of what it can do */
};

void sim_apply(struct buf *out)
{
	static const struct {
		uint64_t users, events_a_day;
	} rows[] = { { 1000000, 10 }, { 10000000, 10 }, { 10000000, 50 }, { 50000000, 20 },
		{ 100000000, 20 } };

	buf_append_str(out,
	    "| users | events of each a day | a second at the peak | PostgreSQL at the peak |"
	    " partitions of WW_EVENTS | rows a day | stored a day |\n"
	    "| --- | --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t day = rows[i].users * rows[i].events_a_day;
		uint64_t peak = day * PEAK / DAY_S;
		char users[32], second[32], daily[32];

		buf_appendf(out, "| %s | %d | %s | %.1f cores | %d | %s | %.0f GiB |\n",
		    sim_count(rows[i].users, users), (int)rows[i].events_a_day,
		    sim_count(peak, second), (double)peak * EVENT_POSTGRES_US / 1e6,
		    (int)(peak * ROOM / APPLIED_PER_S) + 1, sim_count(day * EVENT_ROWS, daily),
		    (double)day * EVENT_BYTES / (1 << 30));
	}
}
