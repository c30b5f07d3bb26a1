/* Starting and stopping the parts of an edge, in order. */
#include "edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "hub.h"
#include "log/log.h"
#include "revoked.h"
#include "session.h"
#include "socket.h"
#include "sweep.h"

enum { PORT_QUEUE_MAX = 100000, LINGER_MS = 30000, TOKENS_REMEMBERED = 100000, EDGE_ID_RANDOM = 8 };

static void hurry(void *arg)
{
	struct edge *edge = arg;

	atomic_fetch_add(&edge->hurries, 1); /* what was missed is looked for at once */
}

const char *edge_not_ready(struct edge *edge)
{
	if (atomic_load(&edge->draining))
		return "draining\n";
	if (!bus_is_connected(edge->bus))
		return "not connected to NATS\n";
	if (!revoked_is_known(edge->revoked))
		return "the revocation list was not read yet\n";
	return NULL;
}

static enum status start_tokens(struct edge *edge, struct err *err)
{
	struct token_config cfg = {
		.keys_dir = edge->cfg.keys_dir,
		.issuer = edge->cfg.token_issuer,
		.audience = edge->cfg.token_audience,
		.leeway_s = 5,
		.max_life_s = 86400,
		.cache_max = TOKENS_REMEMBERED,
	};

	return token_verifier_new(&cfg, &edge->tokens, err);
}

/* A token was revoked: every loop looks whether somebody is signed in with it. */
static void recheck_tokens(void *arg)
{
	struct edge *edge = arg;

	for (size_t i = 0; i < edge->loops_len; i++)
		loop_post(edge->loops[i].loop, socket_recheck_all, &edge->loops[i]);
}

static enum status start_bus(struct edge *edge, struct err *err)
{
	char name[96];
	struct bus_config cfg = {
		.url = edge->cfg.nats_url,
		.user = edge->cfg.nats_user,
		.password = edge->cfg.nats_password,
		.name = name,
		.on_connected = hurry,
		.on_slow = hurry,
		.arg = edge,
	};
	struct bus_port_config port = {
		.queue_max = PORT_QUEUE_MAX,
		.linger_ms = LINGER_MS,
		.on_msg = hub_on_msg,
	};
	enum status s;

	(void)snprintf(name, sizeof(name), "ww-edge/%s", edge->id);
	edge->hub = hub_new(edge);
	port.arg = edge->hub;
	s = bus_open(&cfg, &edge->bus, err);
	if (s)
		return s;
	s = bus_port_new(edge->bus, &port, &edge->port, err);
	if (s)
		return s;
	bus_port_want(edge->port, "ww.rt.all");
	return revoked_start(edge->bus, recheck_tokens, edge, &edge->revoked, err);
}

static void start_on_loop(void *arg)
{
	sweep_start(arg);
}

static enum status start_loops(struct edge *edge, struct err *err)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = edge->cfg.loops ? (size_t)edge->cfg.loops
		   : cores > 64    ? 64
		   : cores > 0     ? (size_t)cores
				   : 1;

	edge->loops = xcalloc(n, sizeof(*edge->loops));
	for (; edge->loops_len < n; edge->loops_len++) {
		struct edge_loop *el = &edge->loops[edge->loops_len];
		char name[16];
		enum status s;

		(void)snprintf(name, sizeof(name), "loop-%u", (unsigned)edge->loops_len & 63u);
		*el = (struct edge_loop){ .edge = edge, .index = edge->loops_len };
		el->loop = loop_new(name);
		el->input = xmalloc(EDGE_INPUT_SIZE);
		loop_on_turn_end(el->loop, session_flush_all, el);
		loop_post(el->loop, start_on_loop, el);
		s = loop_start(el->loop, err);
		if (s) {
			loop_free(el->loop);
			free(el->input);
			return s;
		}
	}
	return STATUS_OK;
}

enum status edge_start(struct edge *edge, struct err *err)
{
	char random[ID_SIZE];
	enum status s;

	/* It stands in every session id, which some clients put into a URL as it is. */
	if (!edge->cfg.edge_name[0] ||
	    edge->cfg.edge_name[strspn(edge->cfg.edge_name, ID_ALPHABET)] != '\0')
		return err_invalid(err, "edge-id", "only letters, digits, - and _ are allowed");
	id_random(random);
	random[EDGE_ID_RANDOM] = '\0';
	(void)snprintf(edge->id, sizeof(edge->id), "%.40s-%s", edge->cfg.edge_name, random);
	edge->queue_limits = (struct outq_limits){ (size_t)edge->cfg.queue_bytes,
		(unsigned)edge->cfg.queue_packets };
	s = start_tokens(edge, err);
	if (!s)
		s = start_loops(edge, err); /* before the bus, whose messages go to them */
	if (!s)
		s = start_bus(edge, err);
	if (!s)
		s = front_start_admin(edge, err);
	if (!s)
		s = front_start(edge, err);
	if (!s)
		log_info("edge %s listens on port %d, admin on port %d, %zu loops", edge->id,
		    http_front_port(edge->front), http_front_port(edge->admin), edge->loops_len);
	return s;
}

/* On each loop: clients are told to go elsewhere, and nothing is asked of services any more. */
static void close_loop(void *arg)
{
	struct edge_loop *el = arg;
	struct session *session, *next;

	sweep_stop(el);
	HASH_ITER (hh, el->sessions, session, next)
		session_close(session, CLOSE_DRAIN);
	atomic_store(&el->closed, true);
}

static void drain(struct edge *edge)
{
	struct timespec pause = { .tv_nsec = 20 * 1000000L };

	atomic_store(&edge->draining, true);
	if (edge->front)
		http_front_stop_accepting(edge->front);
	for (size_t i = 0; i < edge->loops_len; i++)
		loop_post(edge->loops[i].loop, close_loop, &edge->loops[i]);
	/* Until every loop has let go of its users, without a bound: they use what is taken down
	 * next. */
	for (size_t i = 0; i < edge->loops_len; i++) {
		while (!atomic_load(&edge->loops[i].closed))
			(void)nanosleep(&pause, NULL);
	}
	/* Every session ends a second after its close frame at the latest. */
	for (int i = 0; i < 100 && atomic_load(&edge->sockets) > 0; i++)
		(void)nanosleep(&pause, NULL);
}

/* In reverse order of birth. What calls back posts to loops, so loops end after the bus. */
void edge_stop(struct edge *edge)
{
	drain(edge);
	http_front_free(edge->front);
	http_front_free(edge->admin);
	revoked_stop(edge->revoked);
	if (edge->port)
		bus_port_free(edge->port);
	bus_close(edge->bus);
	for (size_t i = 0; i < edge->loops_len; i++) {
		loop_stop(edge->loops[i].loop);
		loop_join(edge->loops[i].loop);
		loop_free(edge->loops[i].loop);
		free(edge->loops[i].input);
	}
	free(edge->loops);
	hub_free(edge->hub);
	token_verifier_free(edge->tokens);
}
