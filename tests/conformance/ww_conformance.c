/*
 * ww-conformance: the edge's engine (services/edge/engine) with the small application that
 * Socket.IO and Engine.IO conformance suites expect, without NATS and without tokens. See
 * README.md.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "config/config.h"
#include "engine/engine.h"
#include "engine/sio.h"
#include "log/log.h"

struct config {
	char *listen, *origins;
	int64_t loops, max_payload, max_sessions, queue_packets;
	int64_t ping_interval_ms, ping_timeout_ms, upgrade_timeout_ms, connect_timeout_ms;
	int64_t attachment_timeout_ms, body_timeout_ms, max_attachments;
};

#define ROW(field, name, type, dflt, min, max, help) \
	SETTING(struct config, field, name, type, dflt, min, max, help)

static const struct setting settings[] = {
	ROW(listen, "listen", SETTING_TEXT, "127.0.0.1:3000", 0, 0,
	    "Address and port; port 0 picks a free one"),
	ROW(origins, "allowed-origins", SETTING_TEXT, "*", 0, 0, "Pages that may connect"),
	ROW(loops, "loops", SETTING_INT, "2", 1, 64, "Event loop threads"),
	ROW(max_payload, "max-payload", SETTING_SIZE, "1000000", 1024, 16777216,
	    "Largest HTTP body and largest message"),
	ROW(max_sessions, "max-sockets", SETTING_INT, "18000", 1, 1000000, "Sessions held at once"),
	ROW(queue_packets, "queue-packets", SETTING_INT, "1024", 16, 1000000,
	    "Most packets that may wait for one session"),
	ROW(ping_interval_ms, "ping-interval", SETTING_DURATION, "300ms", 10, 600000,
	    "Time between a pong and the next ping"),
	ROW(ping_timeout_ms, "ping-timeout", SETTING_DURATION, "200ms", 10, 600000,
	    "How long a client may take to answer a ping"),
	ROW(upgrade_timeout_ms, "upgrade-timeout", SETTING_DURATION, "10s", 10, 600000,
	    "How long a client may take to move to a WebSocket"),
	ROW(connect_timeout_ms, "connect-timeout", SETTING_DURATION, "1s", 10, 600000,
	    "How long a Socket.IO session may be without a namespace"),
	ROW(attachment_timeout_ms, "attachment-timeout", SETTING_DURATION, "10s", 10, 600000,
	    "How long a packet may wait for its attachments"),
	ROW(body_timeout_ms, "body-timeout", SETTING_DURATION, "10s", 10, 600000,
	    "How long the body of a request may take to arrive"),
	ROW(max_attachments, "max-attachments", SETTING_INT, "10", 0, SOCKETIO_ATTACHMENTS_CAP,
	    "Most attachments of one packet"),
};

static const struct setting *const tables[] = { settings, NULL };
static const size_t table_lens[] = { ARRAY_LEN(settings) };

static const struct config_spec spec = {
	.program = "ww-conformance",
	.summary = "An Engine.IO and Socket.IO server for conformance suites.",
	.tables = tables,
	.table_lens = table_lens,
};

/* --- /engine.io/: every message comes back --- */

static void nothing(struct session *session)
{
	(void)session;
}

static void echo(struct session *session, bool is_binary, struct bytes data)
{
	struct buf text = BUF_INIT;

	if (is_binary) {
		session_push_binary(session, data);
		return;
	}
	buf_append_char(&text, '4');
	buf_append_bytes(&text, data);
	session_push_text(session, buf_bytes(&text));
	buf_finish(&text);
}

static const struct engine_app echo_app = {
	.on_open = nothing,
	.on_message = echo,
	.on_close = nothing,
};

/* --- /socket.io/ --- */

static void on_connect(struct sio_socket *socket, const struct json *auth)
{
	static const struct socketio_attachments none = { .len = 0 };
	struct buf args = BUF_INIT;

	sio_accept(socket, NULL);
	buf_append_str(&args, "[\"auth\",");
	if (auth)
		json_append_value(&args, auth);
	else
		buf_append_str(&args, "{}");
	buf_append_char(&args, ']');
	sio_emit(socket, buf_bytes(&args), &none);
	buf_finish(&args);
}

/* The elements behind the name, each with a comma in front. */
static void append_arguments(struct buf *out, const struct json *args)
{
	for (size_t i = 1; i < json_array_len(args); i++) {
		if (i > 1)
			buf_append_char(out, ',');
		json_append_value(out, json_at(args, i));
	}
	buf_append_char(out, ']');
}

/* Attachments that nothing names have nowhere to go back to. */
static const struct socketio_attachments *named(
    const struct buf *args, const struct socketio_attachments *attachments)
{
	static const char placeholder[] = "\"_placeholder\":true";

	return memmem(args->data, args->len, placeholder, sizeof(placeholder) - 1) ? attachments
										   : NULL;
}

static void on_event(struct sio_socket *socket, const struct sio_event *event)
{
	struct buf args = BUF_INIT;

	if (bytes_equal_str(event->name, "message")) {
		buf_append_str(&args, "[\"message-back\"");
		if (json_array_len(event->args) > 1)
			buf_append_char(&args, ',');
		append_arguments(&args, event->args);
		sio_emit(socket, buf_bytes(&args), named(&args, event->attachments));
	} else if (bytes_equal_str(event->name, "message-with-ack")) {
		buf_append_char(&args, '[');
		append_arguments(&args, event->args);
		sio_answer(socket, &event->ack, buf_bytes(&args), named(&args, event->attachments));
	}
	buf_finish(&args);
}

static void on_custom_event(struct sio_socket *socket, const struct sio_event *event)
{
	(void)socket;
	(void)event;
}

static void on_leave(struct sio_socket *socket)
{
	(void)socket;
}

static const struct sio_namespace namespaces[] = {
	{ "/", on_connect, on_event, on_leave, NULL, NULL },
	{ "/custom", on_connect, on_custom_event, on_leave, NULL, NULL }, /* no rate, no excess */
};

static enum status serve(const struct config *cfg, const sigset_t *stop_signals, struct err *err)
{
	struct sio_config sio = {
		.namespaces = namespaces,
		.namespaces_len = ARRAY_LEN(namespaces),
		.connect_timeout_ms = cfg->connect_timeout_ms,
		.attachment_timeout_ms = cfg->attachment_timeout_ms,
		.max_packet = (size_t)cfg->max_payload,
		.max_attachments = (unsigned)cfg->max_attachments,
	};
	struct engine_app app = sio_app(&sio);
	struct engine_path paths[] = {
		{ "/socket.io/", &app },
		{ "/socket.io", &app },
		{ "/engine.io/", &echo_app },
		{ "/engine.io", &echo_app },
	};
	struct engine_config engine_cfg = {
		.id = "conformance",
		.listen = cfg->listen,
		.origins = cfg->origins,
		.admission = { "", "", 0, 0 },
		.paths = paths,
		.paths_len = ARRAY_LEN(paths),
		.loops = (size_t)cfg->loops,
		.http_threads = 8,
		.head_timeout_ms = 5000,
		.body_timeout_ms = cfg->body_timeout_ms,
		.ping_interval_ms = cfg->ping_interval_ms,
		.ping_timeout_ms = cfg->ping_timeout_ms,
		.upgrade_timeout_ms = cfg->upgrade_timeout_ms,
		.slow_timeout_ms = 10000,
		.max_payload = (size_t)cfg->max_payload,
		.max_message = (size_t)cfg->max_payload,
		.max_sessions = cfg->max_sessions,
		.max_body_memory = 64 << 20,
		/* room for a message of the greatest size to come back with another waiting */
		.queue = { 4 * (size_t)cfg->max_payload, (unsigned)cfg->queue_packets },
	};
	struct engine engine = { 0 };
	enum status s = engine_init(&engine, &engine_cfg, err);
	int signal_number;

	if (!s)
		s = engine_start(&engine, err);
	if (!s)
		s = engine_listen(&engine, err);
	if (!s) {
		(void)printf("listening on %d\n", http_front_port(engine.front));
		(void)fflush(stdout);
		(void)sigwait(stop_signals, &signal_number);
	}
	engine_drain(&engine, NULL);
	engine_finish(&engine);
	return s;
}

int main(int argc, char **argv)
{
	struct config cfg = { 0 };
	struct err err = ERR_INIT;
	sigset_t stop_signals;
	enum status s;

	log_init("conformance");
	switch (config_load(&spec, &cfg, argc, argv)) {
	case CONFIG_RUN:
		break;
	case CONFIG_DONE:
		return EXIT_SUCCESS;
	case CONFIG_WRONG:
		return EXIT_FAILURE;
	}
	(void)sigemptyset(&stop_signals);
	(void)sigaddset(&stop_signals, SIGTERM);
	(void)sigaddset(&stop_signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &stop_signals, NULL); /* before any thread exists */
	s = serve(&cfg, &stop_signals, &err);
	if (s)
		log_failure(&err, "it did not start");
	config_release(&spec, &cfg);
	return s ? EXIT_FAILURE : EXIT_SUCCESS;
}
