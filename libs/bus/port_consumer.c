/*
 * Where consumers stand, for loops: one request to the server's own API. Its answer is JSON, of
 * which two numbers are wanted; names of streams and consumers hold no quotes, so that no key can
 * stand in one.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/internal.h"
#include "bus/subject_check.h"

enum { SUBJECT_SIZE = 256 };

void bus_port_consumer_ask(struct bus_port *port, const char *stream, const char *consumer,
    int timeout_ms, bus_reply_fn fn, void *arg)
{
	char subject[SUBJECT_SIZE];

	assert(bus_name_is_valid(stream) && bus_name_is_valid(consumer));
	(void)snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.INFO.%s.%s", stream, consumer);
	port_request(port, subject, bytes_of(NULL, 0), timeout_ms, fn, arg);
}

/* `"key":123`; false if it does not stand. */
static bool read_number(struct bytes json, const char *key, uint64_t *ret_n)
{
	const char *at = memmem(json.data, json.len, key, strlen(key));
	const char *end = (const char *)json.data + json.len;

	if (!at)
		return false;
	*ret_n = 0;
	for (at += strlen(key); at < end && *at >= '0' && *at <= '9'; at++)
		*ret_n = *ret_n * 10 + (uint64_t)(*at - '0');
	return true;
}

bool bus_waiting_of(struct bytes reply, uint64_t *ret_waiting)
{
	uint64_t pending, unacknowledged;

	if (!read_number(reply, "\"num_pending\":", &pending) ||
	    !read_number(reply, "\"num_ack_pending\":", &unacknowledged))
		return false;
	*ret_waiting = pending + unacknowledged;
	return true;
}
