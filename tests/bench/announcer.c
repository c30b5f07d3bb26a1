/*
 * bench_announcer: an announcement to everybody for each line "<number> <microseconds>" of its
 * standard input, with the text "due <number> <microseconds> ". The reference has the same in
 * reference/announcer.mjs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "report.h"
#include "walletwire/v1/event.pb-c.h"

static void on_ack(
    void *arg, uint64_t tag, enum status status, struct bus_ack ack, const char *reason)
{
	(void)arg;
	(void)tag;
	(void)ack;
	if (status)
		(void)fprintf(stderr, "an announcement was not stored: %s\n", reason);
}

static void announce(struct bus *bus, char *due)
{
	Walletwire__V1__Event event = WALLETWIRE__V1__EVENT__INIT;
	Walletwire__V1__AnnouncementEvent announcement = WALLETWIRE__V1__ANNOUNCEMENT_EVENT__INIT;
	char id[64], text[128];
	uint8_t packed[512];
	long number = strtol(due, NULL, 10);

	(void)snprintf(id, sizeof(id), "bench-%ld", number);
	(void)snprintf(text, sizeof(text), "due %.64s ", due);
	event.id = id;
	event.title = (char[]){ "Maintenance tonight" };
	event.text = text;
	event.body_case = WALLETWIRE__V1__EVENT__BODY_ANNOUNCEMENT;
	event.announcement = &announcement;
	bus_publish_stored_async(bus, "ww.event.announcement", NULL,
	    bytes_of(packed, walletwire__v1__event__pack(&event, packed)), NULL, (uint64_t)number,
	    on_ack, NULL);
}

int main(int argc, char **argv)
{
	char line[64];
	struct bus *bus;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: bench_announcer NATS_URL PASSWORD <LINES\n");
		return 2;
	}
	bus = bench_bus(argv[1], "backend", argv[2]);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		announce(bus, line);
	}
	bus_publish_wait(bus);
	bus_close(bus);
	return EXIT_SUCCESS;
}
