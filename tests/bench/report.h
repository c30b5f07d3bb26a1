/* report: what benches have in common besides their clients: events, figures, the edge's metrics.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/attrs.h"
#include "base/buf.h"
#include "bus/bus.h"

/* A token of `user` that is good for two hours; the caller frees it. Ends the program if there is
 * none. */
char *bench_token(const char *keys_dir, const char *user);
/* One of the user that the format names; it is kept in *kept, in place of the one before. */
const char *bench_lend_token(char **kept, const char *keys_dir, const char *user_format, ...)
    PRINTF_LIKE(3, 4);

/* The bus as `user` has it: "backend", "edge", "ops". Ends the program if it can't be reached. */
struct bus *bench_bus(const char *url, const char *user, const char *password);
/* Ends the program, with its message, unless s is STATUS_OK. */
void bench_must(enum status s, const struct err *err);

struct bench_event {
	const char *run; /* with the number it names the event */
	size_t number;
	int64_t due_us;
	char **users;
	size_t users_len;
	size_t size; /* of its text, at least what BENCH_EVENT_TEXT takes */
};

/* A payment whose message is "due <number> <microseconds> ...". */
void bench_publish(struct bus *bus, const struct bench_event *event);
/* Reads that message in what a client was sent; false if it is not in there. */
bool bench_read_due(struct bytes packet, size_t *ret_number, int64_t *ret_due_us);

/* Sorts, and gives the p-th (0 to 1) in milliseconds; 0 without any. */
void bench_sort(int64_t *us, size_t len);
double bench_percentile_ms(const int64_t *sorted_us, size_t len, double p);
/* "p50ms":1.23,"p99ms":..,"p999ms":..,"maxMs":..,"histogramMs":{"1":12,"2":34,...}, whose keys are
 * upper bounds, doubling. */
void bench_print_latencies(const int64_t *sorted_us, size_t len);

/* /metrics of the admin port; empty if it does not answer. */
void bench_scrape(int admin_port, struct buf *out);
/* The value of `name`, with its labels as they are written; 0 if there is none. */
long bench_metric(const struct buf *scraped, const char *name);

#endif
