/* Starting and stopping the parts of an edge, in order. */
#include "edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "announcements.h"
#include "base/attrs.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "calls.h"
#include "drain.h"
#include "hub.h"
#include "leases.h"
#include "log/log.h"
#include "metrics.h"
#include "ops.h"
#include "ops_gather.h"
#include "presence.h"
#include "relay.h"
#include "revoked.h"
#include "rooms.h"
#include "signin.h"
#include "socket.h"
#include "static.h"
#include "static_files.h"
#include "sweep.h"
#include "trail.h"

enum {
	PORT_QUEUE_MAX = 100000,
	PORT_QUEUE_BYTES_MAX = 64 << 20,
	LINGER_MS = 30000,
	DOUBT_MS = 3000, /* other edges come back to NATS within a few attempts, a quarter of a
			    second apart */
	TOKENS_REMEMBERED = 100000,
	EDGE_ID_RANDOM = 8,
	FORGIVEN_PER_S = 2,
};

static void hurry(void *arg)
{
	struct edge *edge = arg;

	atomic_fetch_add(&edge->hurries, 1); /* what was missed is looked for at once */
}

static void on_connected(void *arg)
{
	struct edge *edge = arg;

	hurry(edge);
	leases_on_connected(edge->leases);
	if (atomic_exchange(&edge->was_connected, true))
		atomic_store(&edge->doubt_until_ms, clock_mono_ms() + DOUBT_MS);
}

bool edge_doubts_bus(struct edge *edge)
{
	return !bus_is_connected(edge->bus) || clock_mono_ms() < atomic_load(&edge->doubt_until_ms);
}

const char *edge_not_ready(struct edge *edge)
{
	if (atomic_load(&edge->draining))
		return "draining\n";
	if (!bus_is_connected(edge->bus))
		return "not connected to NATS\n";
	if (!revoked_is_known(edge->revoked))
		return "the revocation list was not read yet\n";
	if (!leases_is_ready(edge->leases))
		return "the other edges do not know of this one yet\n";
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

/* A token was revoked, or a key withdrawn: every loop looks whether somebody is signed in with it.
 */
static void recheck_tokens(void *arg)
{
	struct edge *edge = arg;

	for (size_t i = 0; i < edge->loops_len; i++)
		loop_post(edge->loops[i].loop, socket_recheck_all, &edge->loops[i]);
}

enum status edge_reload_keys(struct edge *edge, struct err *err)
{
	unsigned before = token_keys_generation(edge->tokens);
	enum status s = token_verifier_reload(edge->tokens, err);

	if (token_keys_generation(edge->tokens) != before)
		recheck_tokens(edge);
	return s;
}

static enum status start_bus(struct edge *edge, struct err *err)
{
	char name[96];
	struct bus_config cfg = {
		.url = edge->cfg.nats_url,
		.user = edge->cfg.nats_user,
		.password = edge->cfg.nats_password,
		.name = name,
		.on_connected = on_connected,
		.on_slow = hurry,
		.arg = edge,
	};
	struct bus_port_config port = {
		.queue_max = PORT_QUEUE_MAX,
		.queue_bytes_max = PORT_QUEUE_BYTES_MAX,
		.linger_ms = LINGER_MS,
		.on_msg = hub_on_msg,
	};
	enum status s;

	(void)snprintf(name, sizeof(name), "ww-edge/%s", edge->id);
	edge->hub = hub_new(edge);
	edge->leases = leases_new(edge);
	port.arg = edge->hub;
	s = bus_open(&cfg, &edge->bus, err);
	if (s)
		return s;
	return bus_port_new(edge->bus, &port, &edge->port, err);
}

static enum status start_listening(struct edge *edge, struct err *err)
{
	enum status s;

	bus_port_want(edge->port, "ww.rt.all");
	presence_listen(edge);
	s = relay_start(edge, &edge->relay, err);
	if (!s)
		s = revoked_start(edge->bus, recheck_tokens, edge, &edge->revoked, err);
	/* Others may ask from here on. */
	if (!s)
		s = leases_start(edge->leases, err);
	return s;
}

static void start_on_loop(void *arg)
{
	sweep_start(arg);
	rooms_start(arg);
}

/* "/" and what the setting lists. */
static enum status name_namespaces(struct edge *edge, struct err *err)
{
	size_t n = 0;
	char *rest = NULL;

	edge->namespaces[n++] = socket_namespace("/");
	edge->namespace_names = xstrdup(edge->cfg.namespaces);
	for (char *name = strtok_r(edge->namespace_names, ", ", &rest); name;
	     name = strtok_r(NULL, ", ", &rest)) {
		if (name[0] != '/' || !name[1] || strspn(name + 1, ID_ALPHABET) != strlen(name + 1))
			return err_invalid(err, "namespaces",
			    "\"%s\" is no namespace: / and letters, digits, - and _", name);
		if (n == EDGE_NAMESPACES_MAX)
			return err_invalid(
			    err, "namespaces", "at most %d are allowed", EDGE_NAMESPACES_MAX - 1);
		edge->namespaces[n++] = ops_namespace(name);
	}
	edge->sio = (struct sio_config){
		.namespaces = edge->namespaces,
		.namespaces_len = n,
		.connect_timeout_ms = edge->cfg.connect_timeout_ms,
		.attachment_timeout_ms = edge->cfg.attachment_timeout_ms,
		.max_packet = (size_t)edge->cfg.max_packet,
		.max_attachments = (unsigned)edge->cfg.max_attachments,
		.events = rate_rule(edge->cfg.event_rate, edge->cfg.event_burst),
	};
	edge->rates[EDGE_RATE_CHAT] = rate_rule(edge->cfg.chat_rate, edge->cfg.chat_burst);
	edge->rates[EDGE_RATE_TYPING] = rate_rule(edge->cfg.typing_rate, edge->cfg.typing_burst);
	return STATUS_OK;
}

/* A token in the URL has been seen by every log on its way. */
static unsigned inspect(const struct http_request *req)
{
	return http_query_has(req, "token") ? SESSION_TOKEN_IN_QUERY : 0;
}

static struct rate_rule strike_rule(const struct edge_config *cfg)
{
	return cfg->max_strikes ? rate_rule(FORGIVEN_PER_S, cfg->max_strikes)
				: (struct rate_rule){ 0 };
}

static enum status init_engine(struct edge *edge, struct err *err)
{
	struct engine_config cfg = {
		.id = edge->id,
		.listen = edge->cfg.listen,
		.origins = edge->cfg.allowed_origins,
		.admission = { edge->cfg.trusted_proxies, edge->cfg.exempt_networks,
		    edge->cfg.session_rate, edge->cfg.session_burst },
		.paths = edge->paths,
		.paths_len = ARRAY_LEN(edge->paths),
		.loops = (size_t)edge->cfg.loops,
		.http_threads = (int)edge->cfg.http_threads,
		.head_timeout_ms = edge->cfg.request_timeout_ms,
		.body_timeout_ms = edge->cfg.body_timeout_ms,
		.ping_interval_ms = edge->cfg.ping_interval_ms,
		.ping_timeout_ms = edge->cfg.ping_timeout_ms,
		.upgrade_timeout_ms = edge->cfg.upgrade_timeout_ms,
		.slow_timeout_ms = edge->cfg.slow_timeout_ms,
		.max_payload = (size_t)edge->cfg.max_payload,
		.max_message = (size_t)edge->cfg.max_packet,
		.max_sessions = edge->cfg.max_sockets,
		.max_body_memory = (size_t)edge->cfg.max_body_memory,
		.queue = { (size_t)edge->cfg.queue_bytes, (unsigned)edge->cfg.queue_packets },
		.strikes = strike_rule(&edge->cfg),
		.inspect = inspect,
		.relay = &relay_functions,
		.other = edge->files ? static_serve : NULL,
		.other_arg = edge->files,
	};

	edge->app = sio_app(&edge->sio);
	/* Clients may be told to leave the slash out. */
	edge->paths[0] = (struct engine_path){ "/socket.io/", &edge->app };
	edge->paths[1] = (struct engine_path){ "/socket.io", &edge->app };
	return engine_init(&edge->engine, &cfg, err);
}

static enum status read_files(struct edge *edge, struct err *err)
{
	enum status s;

	if (!edge->cfg.static_dir[0])
		return STATUS_OK;
	s = static_files_read(edge->cfg.static_dir, &edge->files, err);
	if (!s)
		log_info("%zu files are served from memory, %zu bytes",
		    static_files_count(edge->files), static_files_bytes(edge->files));
	return s;
}

static enum status start_loops(struct edge *edge, struct err *err)
{
	enum status s = init_engine(edge, err);

	if (s)
		return s;
	edge->loops_len = edge->engine.loops_len;
	edge->loops = xcalloc(edge->loops_len, sizeof(*edge->loops));
	for (size_t i = 0; i < edge->loops_len; i++) {
		struct edge_loop *el = &edge->loops[i];

		*el = (struct edge_loop){ .edge = edge,
			.engine = &edge->engine.loops[i],
			.loop = edge->engine.loops[i].loop,
			.index = i };
		el->engine->app = el;
		loop_post(el->loop, start_on_loop, el);
	}
	return engine_start(&edge->engine, err);
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
	edge->recovery = (struct recovery_keys){ bytes_of_str(edge->cfg.recovery_key),
		bytes_of_str(edge->cfg.recovery_key_old) };
	s = name_namespaces(edge, err);
	if (!s)
		s = start_tokens(edge, err);
	if (!s)
		s = read_files(edge, err);
	if (!s)
		s = start_loops(edge, err); /* before the bus, whose messages go to them */
	if (!s)
		s = start_bus(edge, err);
	if (!s)
		s = start_listening(edge, err);
	if (!s)
		s = admin_start(edge, err);
	if (!s)
		s = engine_listen(&edge->engine, err);
	if (!s) {
		atomic_store(&edge->listens_on, http_front_port(edge->engine.front));
		leases_renew(edge->leases);
		log_info("edge %s listens on port %d, admin on port %d, %zu loops", edge->id,
		    http_front_port(edge->engine.front), http_front_port(edge->admin),
		    edge->loops_len);
	}
	return s;
}

/* On each loop, after its sessions were told: nothing is asked of services any more. */
static void on_loop_drained(struct engine_loop *engine_loop)
{
	struct edge_loop *el = engine_loop->app;

	sweep_stop(el);
	presence_stop(el);
	rooms_stop(el);
	trail_stop(el);
	drain_stop(el);
	ops_gather_stop(el);
	relay_end_loop(el);
	calls_end_loop(el);
	atomic_store(&el->closed, true);
}

/* In reverse order of birth. What calls back posts to loops, so loops end after the bus. */
void edge_stop(struct edge *edge)
{
	atomic_store(&edge->draining, true);
	engine_drain(&edge->engine, on_loop_drained);
	http_front_free(edge->admin);
	leases_stop(edge->leases);
	revoked_stop(edge->revoked);
	relay_stop(edge->relay);
	if (edge->port)
		bus_port_free(edge->port);
	bus_close(edge->bus);
	engine_finish(&edge->engine);
	static_files_free(edge->files);
	relay_free(edge->relay);
	for (size_t i = 0; i < edge->loops_len; i++)
		announcements_free(&edge->loops[i]);
	free(edge->loops);
	free(edge->namespace_names);
	leases_free(edge->leases);
	hub_free(edge->hub);
	token_verifier_free(edge->tokens);
}
