/* What it took stays, for whoever looks at it again. */
#include "support/auditor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "db/db.h"
#include "support/postgres.h"
#include "support/support.h"

enum { RECORDS_MAX = 8000, WAIT_MS = 60000 };

typedef Walletwire__V1__AuditRecord AuditRecord;

static struct {
	const struct support_nats *nats;
	const char *dsn, *service;
	char subject[64], waiting_sql[128];
	void (*check)(struct bytes data);
	struct bus *bus;
	struct bus_pull *pull;
	struct db *db;
	struct arena arena; /* of all that was taken */
	const AuditRecord *at[RECORDS_MAX];
	size_t len, checked;
	bool may_repeat;
} auditor;

enum query { WAITING, HELD };

static struct db_statement queries[] = {
	[WAITING] = { "waiting", auditor.waiting_sql },
	[HELD] = { "held", "SELECT count(*) FROM pg_locks WHERE NOT granted AND objid = 4711" },
};

void auditor_start(const struct support_nats *nats, const char *dsn, const char *service,
    void (*check)(struct bytes data))
{
	struct db_config cfg = { .dsn = dsn,
		.application_name = "test",
		.statements = queries,
		.statements_len = ARRAY_LEN(queries) };
	struct err err = ERR_INIT;

	auditor.nats = nats;
	auditor.dsn = dsn;
	auditor.service = service;
	auditor.check = check;
	(void)snprintf(auditor.subject, sizeof(auditor.subject), "ww.audit.%s", service);
	(void)snprintf(auditor.waiting_sql, sizeof(auditor.waiting_sql),
	    "SELECT count(*) FROM %s.audit_outbox", service);
	arena_init(&auditor.arena, SIZE_MAX);
	auditor.bus = support_nats_bus(nats, "audit");
	ck_assert_ok(
	    bus_pull_open(auditor.bus, STREAM_AUDIT, CONSUMER_AUDIT, &auditor.pull, &err), err);
	ck_assert_ok(db_open(&cfg, &auditor.db, &err), err);
}

void auditor_stop(void)
{
	bus_pull_close(auditor.pull);
	bus_close(auditor.bus);
	db_close(auditor.db);
	arena_finish(&auditor.arena);
}

/* --- the stream --- */

void auditor_expect_repeats(void)
{
	auditor.may_repeat = true;
}

static bool is_known(const char *id)
{
	for (size_t i = 0; i < auditor.len; i++) {
		if (strcmp(auditor.at[i]->id, id) == 0)
			return true;
	}
	return false;
}

static void take_records(struct bytes data)
{
	const Walletwire__V1__AuditRecords *said = walletwire__v1__audit_records__unpack(
	    arena_allocator(&auditor.arena), data.len, data.data);

	ck_assert_ptr_nonnull(said);
	if (auditor.check)
		auditor.check(data);
	ck_assert_uint_gt(said->n_records, 0);
	for (size_t i = 0; i < said->n_records; i++) {
		if (auditor.may_repeat && is_known(said->records[i]->id))
			continue;
		ck_assert_uint_lt(auditor.len, RECORDS_MAX);
		auditor.at[auditor.len++] = said->records[i];
	}
}

/* Removed from the stream; what other services put there is just that. */
static size_t take_some(int timeout_ms)
{
	static uint64_t last;
	struct bus_msg *msgs[100];
	struct err err = ERR_INIT;
	size_t n = 0;

	if (bus_pull_fetch(auditor.pull, msgs, ARRAY_LEN(msgs), timeout_ms, &n, &err))
		return 0; /* a server that is away comes again: whoever waits has a deadline */
	for (size_t i = 0; i < n; i++) {
		/* A slow server delivers again what it has not yet seen the ack of. */
		if (bus_msg_stream_seq(msgs[i]) > last &&
		    strcmp(bus_msg_subject(msgs[i]), auditor.subject) == 0)
			take_records(bus_msg_data(msgs[i]));
		if (bus_msg_stream_seq(msgs[i]) > last)
			last = bus_msg_stream_seq(msgs[i]);
		if (bus_msg_ack(msgs[i], &err))
			err = (struct err)ERR_INIT; /* lost: it comes again */
		bus_msg_unref(msgs[i]);
	}
	return n;
}

void auditor_take(size_t n)
{
	int64_t deadline = clock_mono_ms() + WAIT_MS;

	while (auditor.len < n && clock_mono_ms() < deadline)
		(void)take_some(200);
	ck_assert_msg(auditor.len >= n, "%zu of %zu records", auditor.len, n);
}

static int64_t ask(enum query query)
{
	struct db_result *result = NULL;
	struct err err = ERR_INIT;
	struct db_params params;
	int64_t n;

	db_params_init(&params);
	ck_assert_ok(db_ensure(auditor.db, &err), err);
	ck_assert_ok(db_run(auditor.db, query, &params, &result, &err), err);
	n = db_get_int(result, 0, 0);
	db_result_free(result);
	return n;
}

int64_t auditor_waiting(void)
{
	return ask(WAITING);
}

static bool nothing_waits(void *arg)
{
	(void)arg;
	return auditor_waiting() == 0;
}

static bool so_many_wait(void *arg)
{
	return auditor_waiting() == *(const int64_t *)arg;
}

void auditor_wait_waiting(int64_t n)
{
	ck_assert_msg(support_wait(so_many_wait, &n, WAIT_MS), "%ld rows wait, not %ld",
	    (long)auditor_waiting(), (long)n);
}

/* What was taken is all there is, and each has a name of its own. */
static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void auditor_check_complete(size_t n)
{
	const char **ids = xcalloc(auditor.len + 1, sizeof(*ids));

	ck_assert(support_wait(nothing_waits, NULL, WAIT_MS));
	while (take_some(300) > 0)
		continue;
	ck_assert_uint_eq(auditor.len, n);
	for (size_t i = 0; i < auditor.len; i++)
		ids[i] = auditor.at[i]->id;
	qsort(ids, auditor.len, sizeof(*ids), by_text);
	for (size_t i = 1; i < auditor.len; i++)
		ck_assert_str_ne(ids[i - 1], ids[i]);
	free(ids);
}

/* --- a record as a line --- */

static const char *word(const ProtobufCEnumDescriptor *type, int value, const char *prefix)
{
	const char *name = protobuf_c_enum_descriptor_get_value(type, value)->name;

	ck_assert_msg(strncmp(name, prefix, strlen(prefix)) == 0, "%s", name);
	return name + strlen(prefix);
}

static void append_user(struct buf *line, const Walletwire__V1__AuditUser *user)
{
	buf_appendf(line, " %s", user->user_id);
	if (user->item)
		buf_appendf(line, "#%lu", (unsigned long)user->item);
	if (user->seq)
		buf_appendf(line, "@%lu", (unsigned long)user->seq);
	if (user->version)
		buf_appendf(line, "v%lu", (unsigned long)user->version);
}

/* "ITEM_CREATED by BACKEND: payment/p1 alice@1 bob@1 n2" */
static const char *line_of(const AuditRecord *record)
{
	struct buf line = BUF_INIT;
	const char *text;

	buf_appendf(&line, "%s by %s",
	    word(&walletwire__v1__audit_action__descriptor, (int)record->action, "AUDIT_ACTION_"),
	    word(&walletwire__v1__audit_actor_kind__descriptor, (int)record->actor->kind,
		"AUDIT_ACTOR_KIND_"));
	if (record->actor->id[0])
		buf_appendf(&line, " %s", record->actor->id);
	if (record->actor->session_id[0])
		buf_appendf(&line, "/%s", record->actor->session_id);
	buf_append_str(&line, ":");
	if (record->event_key[0])
		buf_appendf(&line, " %s", record->event_key);
	for (size_t i = 0; i < record->n_users; i++)
		append_user(&line, record->users[i]);
	for (size_t i = 0; i < record->n_ids; i++)
		buf_appendf(&line, " id=%s", record->ids[i]);
	if (record->up_to)
		buf_appendf(&line, " to=%lu", (unsigned long)record->up_to);
	if (record->announcement_seq)
		buf_appendf(&line, " log=%lu", (unsigned long)record->announcement_seq);
	buf_appendf(&line, " n%lu", (unsigned long)record->n);
	text = arena_strndup(&auditor.arena, line.data, line.len);
	buf_finish(&line);
	return text;
}

const AuditRecord *auditor_next(void)
{
	auditor_take(auditor.checked + 1);
	return auditor.at[auditor.checked++];
}

void auditor_expect(const char *fmt, ...)
{
	const AuditRecord *record = auditor_next();
	char line[1024];
	int64_t age_us;
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	ck_assert_str_eq(line_of(record), line);
	ck_assert_str_eq(record->service, auditor.service);
	age_us = clock_wall_us() - record->at_us;
	ck_assert(age_us > -1000000 && age_us < (int64_t)WAIT_MS * 1000);
}

size_t auditor_taken(void)
{
	return auditor.len;
}

const AuditRecord *auditor_record(size_t i)
{
	ck_assert_uint_lt(i, auditor.len);
	return auditor.at[i];
}

/* --- in its way --- */

void auditor_refuse_rows(int n, const char *sqlstate)
{
	postgres_exec(auditor.dsn,
	    arena_printf(&auditor.arena,
		"DROP TRIGGER IF EXISTS refuse ON %s.audit_outbox;"
		"DROP SEQUENCE IF EXISTS refusals; CREATE SEQUENCE refusals;"
		"CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
		" IF nextval('refusals') <= %d THEN RAISE EXCEPTION 'refused' USING ERRCODE = "
		"'%s';"
		" END IF; RETURN NEW; END $$;"
		"CREATE TRIGGER refuse BEFORE INSERT ON %s.audit_outbox FOR EACH ROW"
		" EXECUTE FUNCTION refuse()",
		auditor.service, n, sqlstate, auditor.service));
}

void auditor_fill_stream(void)
{
	static uint8_t junk[STREAM_DATA_MAX];
	struct bus *ops = support_nats_bus(auditor.nats, "ops");
	struct bus_ack ack;
	struct err err = ERR_INIT;

	for (size_t size = sizeof(junk); size > 0; size /= 64) {
		while (bus_publish_stored(ops, "ww.audit.ops", NULL, bytes_of(junk, size), NULL,
			   &ack, &err) == STATUS_OK)
			continue;
	}
	bus_close(ops);
}

static bool commit_is_held(void *arg)
{
	(void)arg;
	return ask(HELD) > 0;
}

struct db *auditor_hold_commits(void)
{
	struct db_config cfg = { .dsn = auditor.dsn, .application_name = "holds" };
	struct err err = ERR_INIT;
	struct db *holder;

	ck_assert_ok(db_open(&cfg, &holder, &err), err);
	ck_assert_ok(db_exec(holder, "SELECT pg_advisory_lock(4711)", &err), err);
	postgres_exec(auditor.dsn,
	    arena_printf(&auditor.arena,
		"CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS"
		" $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$;"
		"CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON %s.audit_outbox"
		" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()",
		auditor.service));
	return holder;
}

void auditor_wait_held(void)
{
	ck_assert(support_wait(commit_is_held, NULL, WAIT_MS));
}

static bool is_stored(void *arg)
{
	(void)take_some(50);
	return auditor.len >= *(const size_t *)arg;
}

/* The rows are locked, so that they can be published and not deleted. */
void auditor_kill_between_ack_and_delete(size_t n, void (*die)(void))
{
	struct db_config cfg = { .dsn = auditor.dsn, .application_name = "holds" };
	struct err err = ERR_INIT;
	struct db *holder;

	ck_assert_ok(db_open(&cfg, &holder, &err), err);
	ck_assert_ok(db_begin(holder, &err), err);
	ck_assert_ok(db_exec(holder,
			 arena_printf(&auditor.arena, "SELECT FROM %s.audit_outbox FOR UPDATE",
			     auditor.service),
			 &err),
	    err);
	ck_assert_msg(support_wait(is_stored, &n, WAIT_MS), "%zu records", auditor.len);
	die();
	/* Its connection may be in the midst of the deletion, and not know that nobody waits. */
	postgres_exec(auditor.dsn, "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
				   " WHERE application_name LIKE 'ww-%/audit'");
	db_rollback(holder);
	db_close(holder);
	ck_assert_int_eq(auditor_waiting(), (int64_t)n);
}
