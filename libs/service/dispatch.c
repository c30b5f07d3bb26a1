/* Replies start with an Error that is absent on success, so any failure is answered by an
 * ErrorReply. */
#include "service/dispatch.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/subject.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "codec/reflect.h"
#include "log/log.h"
#include "metrics/metrics.h"
#include "walletwire/v1/common.pb-c.h"
#include "walletwire/v1/ops.pb-c.h"

enum {
	/* What requesters give up after: work on an older request is done for nobody. */
	WAITED_TOO_LONG_US = 5000000,
	/* Beyond what any verb means to send, and well below what the server takes. */
	REPLY_MAX = 1 << 20,
};

static const char *const status_labels[] = {
#define X(name, wire, temporary, stream, level, text) wire,
#include "status.def"
#undef X
};

/* One request on its way to an answer. */
struct dispatched {
	struct dispatch *dispatch;
	size_t route;
	struct bus_msg *msg;
	int64_t queued_us;
};

struct deferred {
	struct dispatched request; /* with a reference to its message */
};

struct dispatch {
	const struct service_spec *spec;
	struct bus *bus;
	const char *instance;
	int64_t began_ms;
	struct route_metrics {
		struct metric answers; /* a cell per status */
		struct histogram seconds;
		_Atomic int64_t cells[STATUS_COUNT];
	} * routes; /* never freed: metrics can't be taken back */
};

/* "ww.svc.notifications.open" -> "ww_notifications_open<suffix>" */
static char *metric_name(const char *subject, const char *suffix)
{
	static const char svc[] = "ww.svc.";
	bool is_svc = strncmp(subject, svc, sizeof(svc) - 1) == 0;
	char *name = is_svc ? xasprintf("ww_%s%s", subject + sizeof(svc) - 1, suffix)
			    : xasprintf("%s%s", subject, suffix);

	for (char *c = name; *c; c++) {
		if (!isalnum((unsigned char)*c))
			*c = '_';
	}
	return name;
}

static void register_route(struct route_metrics *metrics, const char *subject)
{
	metrics->answers = (struct metric){
		.name = metric_name(subject, "_total"),
		.help = xasprintf("Requests on %s by the status they were answered with", subject),
		.kind = METRIC_COUNTER,
		.label = "status",
		.values = status_labels,
		.count = STATUS_COUNT,
		.cells = metrics->cells,
	};
	metrics->seconds = (struct histogram){
		.name = metric_name(subject, "_seconds"),
		.help =
		    xasprintf("Time from the arrival of a request on %s to its answer", subject),
	};
	metrics_register(&metrics->answers);
	metrics_register_histogram(&metrics->seconds);
}

struct dispatch *dispatch_new(
    const struct service_spec *spec, struct bus *bus, const char *instance)
{
	struct dispatch *dispatch = xcalloc(1, sizeof(*dispatch));

	dispatch->spec = spec;
	dispatch->bus = bus;
	dispatch->instance = instance;
	dispatch->began_ms = clock_mono_ms();
	/* Of a service without routes nothing is registered, and so nothing would refer to it. */
	if (spec->routes_len > 0)
		dispatch->routes = xcalloc(spec->routes_len, sizeof(*dispatch->routes));
	for (size_t i = 0; i < spec->routes_len; i++)
		register_route(&dispatch->routes[i], spec->routes[i].subject);
	return dispatch;
}

/* --- what it has served --- */

/* It was our fault, or somebody's behind us. */
static bool is_failure(enum status status)
{
	return status == STATUS_UNAVAILABLE || status == STATUS_TIMEOUT ||
	       status == STATUS_INTERNAL;
}

static void add_up(const struct dispatch *dispatch, int64_t *requests, int64_t *failures)
{
	for (size_t i = 0; i < dispatch->spec->routes_len; i++) {
		for (size_t s = 0; s < STATUS_COUNT; s++) {
			int64_t n = metric_get(&dispatch->routes[i].answers, s);

			*requests += n;
			*failures += is_failure((enum status)s) ? n : 0;
		}
	}
}

enum status service_on_stats(struct request *req, struct err *err)
{
	const struct dispatch *dispatch = req->dispatched->dispatch;
	Walletwire__V1__ServiceStatsReply *reply = arena_alloc(req->arena, sizeof(*reply));

	(void)err; /* it reads what is in memory */
	walletwire__v1__service_stats_reply__init(reply);
	reply->instance = message_lend(dispatch->instance);
	reply->uptime_s = (clock_mono_ms() - dispatch->began_ms) / 1000;
	reply->resident_bytes = metrics_resident_bytes();
	add_up(dispatch, &reply->requests, &reply->failures);
	req->reply = &reply->base;
	return STATUS_OK;
}

void dispatch_free(struct dispatch *dispatch)
{
	free(dispatch);
}

static void answer(struct dispatch *dispatch, struct bus_msg *msg, struct bytes data)
{
	const char *reply = bus_msg_reply(msg);
	struct err err = ERR_INIT;

	if (reply && bus_respond(dispatch->bus, reply, data, &err))
		log_failure(&err, "answer %s", bus_msg_subject(msg));
}

/*
 * What a client may read. The words of a failure that is the client's own are about its request; of
 * all others they are about us, and those of CONFLICT may come from the database.
 */
static const char *public_message(const struct err *err)
{
	switch (err->status) {
	case STATUS_INVALID:
	case STATUS_FORBIDDEN:
	case STATUS_NOT_FOUND:
	case STATUS_TOO_LARGE:
	case STATUS_RATE_LIMITED:
		/* A message that was cut may end inside of a character. */
		if (err->msg[0] && text_is_utf8(bytes_of_str(err->msg)))
			return err->msg;
		return status_text(err->status);
	default:
		return status_text(err->status);
	}
}

static void answer_failure(struct dispatch *dispatch, struct bus_msg *msg, const struct err *err)
{
	uint8_t data[sizeof(err->msg) + sizeof(err->field) + 128];
	Walletwire__V1__Error error;
	Walletwire__V1__ErrorReply reply;

	walletwire__v1__error__init(&error);
	walletwire__v1__error_reply__init(&reply);
	error.code = message_lend(status_wire(err->status));
	error.message = message_lend(public_message(err));
	if (text_is_utf8(bytes_of_str(err->field)))
		error.field = message_lend(err->field);
	reply.error = &error;
	assert(walletwire__v1__error_reply__get_packed_size(&reply) <= sizeof(data));
	answer(dispatch, msg, bytes_of(data, walletwire__v1__error_reply__pack(&reply, data)));
}

static void answer_success(
    struct dispatch *dispatch, struct bus_msg *msg, const ProtobufCMessage *reply)
{
	struct buf data = BUF_INIT;

	message_append(&data, reply);
	answer(dispatch, msg, buf_bytes(&data));
	buf_finish(&data);
}

static void count(struct dispatch *dispatch, size_t route, enum status status, int64_t queued_us)
{
	struct route_metrics *metrics = &dispatch->routes[route];

	metric_add(&metrics->answers, status, 1);
	histogram_observe(&metrics->seconds, clock_mono_us() - queued_us);
}

/* The user an edge speaks for, by the field named `caller`; NULL if there is none. */
static const char *caller_of(const ProtobufCMessage *body)
{
	const ProtobufCFieldDescriptor *field =
	    protobuf_c_message_descriptor_get_field_by_name(body->descriptor, "caller");
	const Walletwire__V1__Caller *caller;

	if (!field || field->descriptor != &walletwire__v1__caller__descriptor)
		return NULL;
	caller =
	    *(Walletwire__V1__Caller *const *)(const void *)((const char *)body + field->offset);
	return caller && caller->user_id[0] ? caller->user_id : NULL;
}

enum status request_caller(const struct request *req, const char **ret_user_id, struct err *err)
{
	size_t len = req->user_id ? strlen(req->user_id) : 0;

	if (len == 0 || len > SUBJECT_ID_MAX)
		return err_invalid(err, "caller", "names no user");
	*ret_user_id = req->user_id;
	return STATUS_OK;
}

/* Nobody but this user can hear the answer (bus/accounts.c). */
static const char *requester_of(struct bus_msg *msg, struct arena *arena)
{
	static const char prefix[] = "_INBOX.";
	const char *reply = bus_msg_reply(msg);

	if (!reply || strncmp(reply, prefix, sizeof(prefix) - 1) != 0)
		return "";
	reply += sizeof(prefix) - 1;
	return arena_strndup(arena, reply, strcspn(reply, "."));
}

static enum status check_reply(const ProtobufCMessage *reply, struct err *err)
{
	size_t size;

	assert(reply);
	size = protobuf_c_message_get_packed_size(reply);
	if (size > REPLY_MAX)
		return err_set(err, STATUS_INTERNAL, "a reply of %zu bytes", size);
	return STATUS_OK;
}

/*
 * With what is sensitive left out: debugging is no reason to know what people write and pay. Of
 * what was answered alone: what is refused may have anything where an id should be.
 */
static void tell_request(const char *subject, const ProtobufCMessage *body)
{
	struct buf text = BUF_INIT;

	reflect_append_masked(&text, body);
	log_debug("%s: asked %s", subject, buf_str(&text));
	buf_finish(&text);
}

static enum status handle(struct dispatch *dispatch, const struct route *route, struct bus_msg *msg,
    struct request *req, struct err *err)
{
	ProtobufCMessage *body = NULL;
	enum status s = reflect_unpack(route->request, bus_msg_data(msg), req->arena, &body, err);

	if (s)
		return s;
	req->body = body;
	req->user_id = caller_of(body);
	req->requester = requester_of(msg, req->arena);
	req->bus = dispatch->bus;
	req->ctx = dispatch->spec->ctx;
	log_context("user", req->user_id);
	/* A connection the server closed meanwhile is replaced before it can fail the request. */
	s = db_ensure(req->db, err);
	if (s)
		return s;
	s = route->fn(req, err);
	db_rollback(req->db); /* quiet if the handler left nothing open */
	assert(!(s && req->is_deferred));
	if (s == STATUS_OK && log_enabled(LOG_DEBUG))
		tell_request(bus_msg_subject(msg), body);
	return s || req->is_deferred ? s : check_reply(req->reply, err);
}

void dispatch_serve(struct dispatch *dispatch, size_t route, struct bus_msg *msg, int64_t queued_us,
    struct db *db, struct arena *arena)
{
	struct dispatched dispatched = { dispatch, route, msg, queued_us };
	struct request req = { .arena = arena, .db = db, .dispatched = &dispatched };
	struct err err = ERR_INIT;
	struct trace trace;
	enum status s;

	if (clock_mono_us() - queued_us > WAITED_TOO_LONG_US) {
		dispatch_refuse(dispatch, route, msg, queued_us, STATUS_UNAVAILABLE);
		return;
	}
	log_context("req", bus_msg_reply(msg)); /* unique, and the requester knows it too */
	trace_enter(bus_msg_header(msg, TRACE_HEADER), log_enabled(LOG_DEBUG), &trace);
	log_trace(&trace);
	s = handle(dispatch, &dispatch->spec->routes[route], msg, &req, &err);
	if (s) {
		err.status = s;
		log_failure(&err, "%s", bus_msg_subject(msg));
		answer_failure(dispatch, msg, &err);
	} else if (!req.is_deferred) {
		answer_success(dispatch, msg, req.reply);
	}
	if (!req.is_deferred)
		count(dispatch, route, s, queued_us);
	if (log_enabled(LOG_DEBUG))
		log_debug("%s: %s in %lld us", bus_msg_subject(msg),
		    req.is_deferred ? "deferred" : status_wire(s),
		    (long long)(clock_mono_us() - queued_us));
	log_trace(NULL);
	log_context("req", NULL);
	log_context("user", NULL);
	arena_reset(arena);
}

void dispatch_refuse(struct dispatch *dispatch, size_t route, struct bus_msg *msg,
    int64_t queued_us, enum status status)
{
	const struct err err = { .status = status };

	answer_failure(dispatch, msg, &err);
	count(dispatch, route, status, queued_us);
}

struct deferred *request_defer(struct request *req)
{
	struct deferred *deferred = xmalloc(sizeof(*deferred));

	deferred->request = *req->dispatched;
	(void)bus_msg_ref(deferred->request.msg);
	req->is_deferred = true;
	return deferred;
}

static void deferred_end(struct deferred *deferred, enum status status)
{
	const struct dispatched *r = &deferred->request;

	count(r->dispatch, r->route, status, r->queued_us);
	bus_msg_unref(r->msg);
	free(deferred);
}

void deferred_answer(struct deferred *deferred, const ProtobufCMessage *reply)
{
	struct err err = ERR_INIT;

	if (check_reply(reply, &err)) {
		log_failure(&err, "%s", bus_msg_subject(deferred->request.msg));
		deferred_refuse(deferred, &err);
		return;
	}
	answer_success(deferred->request.dispatch, deferred->request.msg, reply);
	deferred_end(deferred, STATUS_OK);
}

void deferred_refuse(struct deferred *deferred, const struct err *why)
{
	answer_failure(deferred->request.dispatch, deferred->request.msg, why);
	deferred_end(deferred, why->status);
}
