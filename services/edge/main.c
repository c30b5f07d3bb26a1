/* ww-edge: holds the sockets of wallet clients. See README.md for its subjects and limits. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "drain.h"
#include "edge.h"
#include "engine/metrics.h"
#include "log/log.h"
#include "metrics.h"

enum { KEYS_EVERY_S = 2, DRAIN_LOOK_MS = 20 };

/* Until SIGTERM or SIGINT; meanwhile keys that change are read again. */
static void serve(struct edge *edge, const sigset_t *stop_signals)
{
	struct timespec every = { .tv_sec = KEYS_EVERY_S };
	char said[sizeof(((struct err *)0)->msg)] = "";

	while (sigtimedwait(stop_signals, NULL, &every) < 0) {
		struct err err = ERR_INIT;

		if (edge_reload_keys(edge, &err) && strcmp(said, err.msg) != 0)
			log_failure(&err, "token keys were not read again, the old ones stay");
		memcpy(said, err.msg, sizeof(said)); /* a failure that lasts is told once */
	}
}

/* Until nobody is left, the time is over, or another signal says that it takes too long. */
static void drain(struct edge *edge, const sigset_t *stop_signals)
{
	struct timespec pause = { .tv_nsec = DRAIN_LOOK_MS * 1000000L };
	int64_t until = clock_mono_ms() + edge->cfg.drain_ms;

	drain_begin(edge, edge->cfg.drain_ms);
	while (atomic_load(&edge->engine.sessions) > 0 && clock_mono_ms() < until) {
		if (sigtimedwait(stop_signals, NULL, &pause) > 0)
			return;
	}
}

int main(int argc, char **argv)
{
	struct edge edge = { 0 };
	struct err err = ERR_INIT;
	enum log_level level;
	sigset_t stop_signals;
	enum status s;

	log_init("edge");
	switch (config_load(&edge_config_spec, &edge.cfg, argc, argv)) {
	case CONFIG_RUN:
		break;
	case CONFIG_DONE:
		return EXIT_SUCCESS;
	case CONFIG_WRONG:
		return EXIT_FAILURE;
	}
	if (log_level_parse(edge.cfg.log_level, &level))
		log_set_level(level);
	/* Blocked before any thread exists, so that only serve() takes them. */
	(void)sigemptyset(&stop_signals);
	(void)sigaddset(&stop_signals, SIGTERM);
	(void)sigaddset(&stop_signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &stop_signals, NULL);
	engine_metrics_register(&edge.engine);
	edge_metrics_register(&edge);

	s = edge_start(&edge, &err);
	if (s) {
		log_failure(&err, "edge did not start");
	} else {
		serve(&edge, &stop_signals);
		drain(&edge, &stop_signals);
	}
	edge_stop(&edge);
	config_release(&edge_config_spec, &edge.cfg);
	return s ? EXIT_FAILURE : EXIT_SUCCESS;
}
