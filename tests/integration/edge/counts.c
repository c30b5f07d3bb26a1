/* Rendered anew at each look. */
#include "counts.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/metrics.h"
#include "support/support.h"

enum { WAIT_MS = 30000 };

struct expected {
	const char *sample;
	long value;
};

long count_of(const char *sample)
{
	struct buf text = BUF_INIT;
	const char *at;
	long value;

	metrics_render(&text);
	at = strstr(buf_str(&text), sample);
	ck_assert_msg(at != NULL, "%s is missing in %s", sample, buf_str(&text));
	value = strtol(at + strlen(sample), NULL, 10);
	buf_finish(&text);
	return value;
}

static bool is_counted(void *arg)
{
	const struct expected *expected = arg;

	return count_of(expected->sample) == expected->value;
}

void expect_count(const char *sample, long value)
{
	struct expected expected = { sample, value };

	ck_assert_msg(
	    support_wait(is_counted, &expected, WAIT_MS), "%s never was %ld", sample, value);
}
