/*
 * Read at each rendering. How many descriptors are open is not told: with 18,000 of them looking
 * takes milliseconds, and a loop of an edge may be the one that renders; it has its sockets.
 */
#include "metrics/process.h"

#include <sys/resource.h>

#include "base/attrs.h"
#include "base/clock.h"
#include "metrics/metrics.h"

METRIC(ready, METRIC_GAUGE, "ww_ready", "1 if it can do its work now, as /readyz says");
METRIC(resident, METRIC_GAUGE, "process_resident_memory_bytes", "Memory that is not swapped out");
METRIC(max_fds, METRIC_GAUGE, "process_max_fds", "File descriptors that may be open");
METRIC(started, METRIC_GAUGE, "process_start_time_seconds", "When it started, since 1970");

static struct {
	const char *(*not_ready)(void *arg);
	void *arg;
} readiness;

static void refresh(void *arg)
{
	struct rlimit limit = { 0 };

	(void)arg;
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	metric_set(&ready, readiness.not_ready(readiness.arg) == NULL);
	metric_set(&resident, metrics_resident_bytes());
	metric_set(&max_fds, (int64_t)limit.rlim_cur);
}

void metrics_register_process(const char *(*not_ready)(void *arg), void *arg)
{
	struct metric *const all[] = { &ready, &resident, &max_fds, &started };

	readiness.not_ready = not_ready;
	readiness.arg = arg;
	metric_set(&started, clock_wall_ms() / 1000);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		metrics_register(all[i]);
	metrics_on_render(refresh, NULL);
}
