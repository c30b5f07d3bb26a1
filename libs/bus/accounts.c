/*
 * Who may do what on NATS: the `accounts {}` block of nats-server.conf, written from
 * proto/subjects.def and the table of JetStream rights below. The reasons for its form:
 *   - every user stands in an account and there is no authorization block, and one account is not
 * the system's: otherwise nats-server 2.9 lets anonymous clients in (CVE-2023-47090);
 *   - allow lists without `>`, and a deny list even for `ops`: any user with JetStream could
 * otherwise purge the streams of another account (CVE-2025-30215).
 */
#include <stdio.h>
#include <string.h>

#include "base/attrs.h"
#include "base/id.h"
#include "bus/nats_config.h"
#include "bus/provision.h"
#include "walletwire/v1/event.pb-c.h"

const char *const bus_users[] = { "backend", "chat", "notifications", "edge", "presence", "audit",
	"ops", NULL };

enum kind { CORE, STREAM, REQUEST };

struct subject {
	const char *subject;
	enum kind kind;
	const char *publishers, *subscribers;
};

static const struct subject subjects[] = {
#define X(name, subject, kind, message, publishers, subscribers) \
	{ subject, kind, publishers, subscribers },
#include "subjects.def"
#undef X
};

/* The one subject whose last token is the name of a kind of event, so that its `*` can be spelled
 * out. */
#define EVENT_PREFIX "ww.event."
/* And the one whose last token is the name of the user that publishes it: a record says who did
 * something, so no service may speak for another. */
#define AUDIT_PREFIX "ww.audit."

enum right { PULL, LOOK, INSPECT, WATCH, WRITE, READ, REMOVE, PROVISION };

static const struct js_right {
	const char *user;
	enum right right;
	const char *name, *consumer; /* of the stream or bucket */
} js_rights[] = {
	{ "notifications", PULL, STREAM_EVENTS, CONSUMER_NOTIFICATIONS },
	{ "notifications", WRITE, BUCKET_REVOKED, "" },
	{ "audit", PULL, STREAM_AUDIT, CONSUMER_AUDIT },
	{ "audit", INSPECT, STREAM_AUDIT, "" },
	{ "edge", WATCH, BUCKET_REVOKED, "" },
	{ "edge", WATCH, BUCKET_TRACKING, "" },
	{ "edge", WRITE, BUCKET_TRACKING, "" },
	{ "edge", WATCH, BUCKET_EDGES, "" },
	{ "edge", WRITE, BUCKET_EDGES, "" },
	{ "edge", LOOK, STREAM_EVENTS, CONSUMER_NOTIFICATIONS },
	{ "edge", LOOK, STREAM_AUDIT, CONSUMER_AUDIT },
	{ "ops", PROVISION, "", "" },
	{ "ops", READ, STREAM_AUDIT_HEADS, "" },
	{ "ops", READ, STREAM_DLQ, "" },
	{ "ops", REMOVE, STREAM_DLQ, "" },
	{ "ops", WATCH, BUCKET_REVOKED, "" },
	{ "ops", WATCH, BUCKET_TRACKING, "" },
	{ "ops", WRITE, BUCKET_TRACKING, "" },
	{ "ops", WATCH, BUCKET_EDGES, "" },
};

/* What each right lets its user publish: %s stands for name and consumer, in this order. */
static const struct {
	enum right right;
	const char *pattern;
} js_api[] = {
	/* Bound to and pulled from, never made: the durable is `ww provision`'s. */
	{ PULL, "$JS.API.CONSUMER.INFO.%s.%s" },
	{ PULL, "$JS.API.CONSUMER.MSG.NEXT.%s.%s" },
	{ PULL, "$JS.ACK.%s.%s.>" },
	/* How far it is, and nothing of what it holds. */
	{ LOOK, "$JS.API.CONSUMER.INFO.%s.%s" },
	/* Whether anything was taken out by somebody else. */
	{ INSPECT, "$JS.API.STREAM.INFO.%s%s" },
	{ INSPECT, "$JS.API.STREAM.MSG.GET.%s%s" },
	/* A watch is an ephemeral consumer, made and followed; a single key is read directly. */
	{ WATCH, "$JS.API.CONSUMER.CREATE.KV_%s%s" },
	{ WATCH, "$JS.API.STREAM.MSG.GET.KV_%s%s" },
	{ WATCH, "$JS.API.DIRECT.GET.KV_%s%s" },
	{ WATCH, "$JS.API.DIRECT.GET.KV_%s%s.>" },
	{ WRITE, "$KV.%s%s.>" },
	/* An ephemeral consumer, pulled from and never acknowledged. */
	{ READ, "$JS.API.CONSUMER.CREATE.%s%s" },
	{ READ, "$JS.API.CONSUMER.MSG.NEXT.%s.*%s" },
	{ REMOVE, "$JS.API.STREAM.MSG.DELETE.%s%s" },
	{ PROVISION, "$JS.API.INFO%s%s" },
	{ PROVISION, "$JS.API.STREAM.CREATE.*%s%s" },
	{ PROVISION, "$JS.API.STREAM.INFO.*%s%s" },
	{ PROVISION, "$JS.API.STREAM.LIST%s%s" },
	{ PROVISION, "$JS.API.STREAM.NAMES%s%s" },
	{ PROVISION, "$JS.API.STREAM.MSG.GET.*%s%s" },
	{ PROVISION, "$JS.API.CONSUMER.DURABLE.CREATE.*.*%s%s" },
	{ PROVISION, "$JS.API.CONSUMER.INFO.*.*%s%s" },
	{ PROVISION, "$JS.API.CONSUMER.LIST.*%s%s" },
	{ PROVISION, "$JS.API.CONSUMER.NAMES.*%s%s" },
};

static const char *const denied[] = {
	"$JS.API.ACCOUNT.PURGE.>",
	"$JS.API.ACCOUNT.STREAM.>",
	"$JS.API.SERVER.REMOVE",
	"$JS.API.STREAM.RESTORE.>",
};

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
		if (strcspn(at, " ") == len && strncmp(at, word, len) == 0)
			return true;
	}
	return false;
}

static void append_subject(struct buf *out, const char *subject)
{
	buf_append_str(out, "            ");
	nats_quote(out, subject);
	buf_append_str(out, "\n");
}

static bool has_own_row(const char *subject)
{
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		if (strcmp(subjects[i].subject, subject) == 0)
			return true;
	}
	return false;
}

/* Each kind of event by its name, without those whose publishers have a row of their own. */
static void append_event_kinds(struct buf *out)
{
	const ProtobufCMessageDescriptor *event = &walletwire__v1__event__descriptor;

	for (unsigned i = 0; i < event->n_fields; i++) {
		char subject[128];

		if (!(event->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF))
			continue;
		(void)snprintf(subject, sizeof(subject), EVENT_PREFIX "%s", event->fields[i].name);
		if (!has_own_row(subject))
			append_subject(out, subject);
	}
}

static void append_audit_of(struct buf *out, const char *user)
{
	char subject[64];

	(void)snprintf(subject, sizeof(subject), AUDIT_PREFIX "%s", user);
	append_subject(out, subject);
}

/* Does `user` answer what `asker` asks? */
static bool answers(const char *user, const char *asker)
{
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		if (subjects[i].kind == REQUEST && has_word(subjects[i].subscribers, user) &&
		    has_word(subjects[i].publishers, asker))
			return true;
	}
	return false;
}

/*
 * Answers go to the inboxes of those who may ask, whose names only the asker knows. Not by
 * allow_responses: the server would note the reply subject of everything it delivers for ten
 * seconds, acks of a pull consumer included, and beyond 4,096 of them walk through all on each
 * delivery (measured: 1,300 pulled messages/s instead of 40,000, and 50,000 open requests never
 * done). It would also cut off answers that are late or several, as an edge's are.
 */
static void append_inboxes_of_askers(struct buf *out, const char *user)
{
	for (size_t i = 0; bus_users[i]; i++) {
		char inbox[96];

		if (!answers(user, bus_users[i]))
			continue;
		(void)snprintf(inbox, sizeof(inbox), "_INBOX.%s.>", bus_users[i]);
		append_subject(out, inbox);
	}
}

static void append_publish(struct buf *out, const char *user)
{
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		if (!has_word(subjects[i].publishers, user))
			continue;
		if (strcmp(subjects[i].subject, EVENT_PREFIX "*") == 0)
			append_event_kinds(out);
		else if (strcmp(subjects[i].subject, AUDIT_PREFIX "*") == 0)
			append_audit_of(out, user);
		else
			append_subject(out, subjects[i].subject);
	}
	append_inboxes_of_askers(out, user);
}

static void append_js_rights(struct buf *out, const char *user)
{
	for (size_t r = 0; r < ARRAY_LEN(js_rights); r++) {
		if (strcmp(js_rights[r].user, user) != 0)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(js_api); i++) {
			char subject[128];

			if (js_api[i].right != js_rights[r].right)
				continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)snprintf(subject, sizeof(subject), js_api[i].pattern,
			    js_rights[r].name, js_rights[r].consumer);
#pragma GCC diagnostic pop
			append_subject(out, subject);
		}
	}
}

static void append_subscribe(struct buf *out, const char *user)
{
	char inbox[96];

	/* What a stream stores is read through its consumer, not by subscribing. */
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		if (subjects[i].kind != STREAM && has_word(subjects[i].subscribers, user))
			append_subject(out, subjects[i].subject);
	}
	(void)snprintf(inbox, sizeof(inbox), "_INBOX.%s.>", user);
	append_subject(out, inbox);
}

static void append_user(struct buf *out, const char *user, const char *password)
{
	buf_appendf(out, "      {\n        user: %s\n        password: ", user);
	nats_quote(out, password);
	buf_append_str(
	    out, "\n        permissions: {\n          publish: {\n            allow: [\n");
	append_publish(out, user);
	append_js_rights(out, user);
	buf_append_str(out, "            ]\n            deny: [\n");
	for (size_t i = 0; i < ARRAY_LEN(denied); i++)
		append_subject(out, denied[i]);
	buf_append_str(
	    out, "            ]\n          }\n          subscribe: {\n            allow: [\n");
	append_subscribe(out, user);
	buf_append_str(out, "            ]\n          }\n");
	buf_append_str(out, "        }\n      }\n");
}

void bus_nats_accounts(bool has_jetstream, const char *(*password)(void *arg, const char *user),
    void *arg, struct buf *out)
{
	char random[ID_SIZE];
	const char *sys;

	buf_appendf(out, "accounts {\n  APP: {\n%s    users: [\n",
	    has_jetstream ? "    jetstream: enabled\n" : "");
	for (size_t i = 0; bus_users[i]; i++) {
		const char *secret = password(arg, bus_users[i]);

		if (secret)
			append_user(out, bus_users[i], secret);
	}
	sys = password(arg, "sys");
	if (!sys) {
		id_random(random);
		sys = random;
	}
	buf_append_str(out,
	    "    ]\n  }\n  SYS: {\n    users: [\n      {\n        user: sys\n        password: ");
	nats_quote(out, sys);
	buf_append_str(out, "\n      }\n    ]\n  }\n}\nsystem_account: SYS\n");
}
