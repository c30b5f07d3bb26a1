/*
 * bench_backlog: payments into the stream of events, as fast as it takes them, in turn for each
 * user. RUN and a number name each.
 *
 * The reference has the same in reference/publish.mjs. Start it through `./dev bench delivery`.
 */
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

int main(int argc, char **argv)
{
	size_t users, events;
	struct bus *bus;

	if (argc != 6) {
		(void)fprintf(stderr, "usage: bench_backlog NATS_URL PASSWORD RUN USERS EVENTS\n");
		return 2;
	}
	users = strtoul(argv[4], NULL, 10);
	events = strtoul(argv[5], NULL, 10);
	bus = bench_bus(argv[1], "backend", argv[2]);
	for (size_t number = 0; number < events; number++) {
		char user[64];
		char *list[] = { user };
		struct bench_event event = {
			.run = argv[3], .number = number, .users = list, .users_len = 1
		};

		(void)snprintf(user, sizeof(user), "user-%zu", number % users);
		bench_publish(bus, &event);
	}
	bus_publish_wait(bus);
	bus_close(bus);
	return EXIT_SUCCESS;
}
