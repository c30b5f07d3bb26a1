/* ww audit: is the audit record as it was written, and what does it say? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit_note.h"
#include "audit_store.h"
#include "audit_tail.h"
#include "audit_verify.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "cli.h"
#include "connection.h"
#include "moment.h"
#include "secret.h"
#include "stored.h"
#include "walletwire/v1/audit.pb-c.h"

struct audit_options {
	struct connection_options connection;
	const char *database_url_file, *user, *since, *until, *asked_by;
	struct option_list heads, keys;
	int64_t shard, after;
	bool no_stream, json, make;
};

#define ROW(field, name, type, env, dflt, value, help)                                          \
	{                                                                                       \
		name, type, offsetof(struct audit_options, field), env, dflt, 0, 0, value, help \
	}

static const struct option_row rows[] = {
	ROW(heads, "heads", OPTION_LIST, "WW_AUDIT_HEADS_FILE", NULL, "FILE",
	    "verify: a file that ww-audit appends signed heads to; may be given again"),
	ROW(keys, "key", OPTION_LIST, "WW_AUDIT_KEY_FILE", NULL, "FILE",
	    "verify: the public keys, as `ww audit key` prints them, the oldest first; may be "
	    "given "
	    "again"),
	ROW(database_url_file, "database-url-file", OPTION_TEXT, "WW_AUDIT_DATABASE_URL_FILE", NULL,
	    "FILE",
	    "verify, tail, accept-loss: the auditor's PostgreSQL connection string is in this "
	    "file"),
	ROW(no_stream, "no-stream", OPTION_FLAG, NULL, NULL, NULL,
	    "verify: don't read the heads that NATS keeps"),
	ROW(user, "user", OPTION_TEXT, NULL, NULL, "ID", "who-was-told: of whom"),
	ROW(since, "since", OPTION_TEXT, NULL, "24h", "TIME",
	    "who-was-told, export: from when on; 2025-01-23T10:30:45Z, or how long ago"),
	ROW(until, "until", OPTION_TEXT, NULL, NULL, "TIME", "until then, not now"),
	ROW(json, "json", OPTION_FLAG, NULL, NULL, NULL, "who-was-told: a line of JSON for each"),
	ROW(make, "make", OPTION_FLAG, NULL, NULL, NULL,
	    "key: make the private key, if the file is not there"),
	{ "shard", OPTION_INT, offsetof(struct audit_options, shard), NULL, "0", 0,
	    AUDIT_SHARDS_MAX - 1, "N", "accept-loss: the chain whose end is gone" },
	{ "after", OPTION_INT, offsetof(struct audit_options, after), NULL, "-1", -1, INT64_MAX,
	    "NUMBER", "accept-loss: its last number that is not lost, as verify tells it" },
	ROW_ASKED_BY(struct audit_options, asked_by),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "audit",
	.operands = "verify | who-was-told | export | tail | accept-loss | key FILE",
	.operands_max = 2,
	.help =
	    "verify        walks every chain from PostgreSQL, without asking ww-audit, and holds "
	    "it\n"
	    "              against the heads signed with --key: in the table, in --heads, in "
	    "NATS;\n"
	    "              names the first row of a chain that is not as it was written; exit code "
	    "1\n"
	    "who-was-told  which items reached a user's mailbox, and which session acknowledged "
	    "them\n"
	    "export        records by the time at which they were stored, a line of JSON for each\n"
	    "tail          records as they are stored from now on, until Ctrl-C, a line of JSON "
	    "for "
	    "each;\n"
	    "              from PostgreSQL, as verify\n"
	    "accept-loss   says for good that what was behind --after is lost, as after a restore "
	    "of "
	    "the\n"
	    "              database: heads of it that were signed before are void from then on\n"
	    "key           the public key that belongs to the private one in FILE\n"
	    "\n"
	    "That records were read is itself a record, with the name of who asks.",
	.rows = rows,
	.more_rows = connection_rows,
};

/* --- verify --- */

static enum status add_stored(void *arg, struct bus_msg *msg, struct err *err)
{
	(void)err;
	audit_heads_add_line(arg, AUDIT_IN_STREAM, bus_msg_data(msg));
	return STATUS_OK;
}

static enum status read_stream(
    const struct audit_options *opt, struct audit_heads *heads, struct err *err)
{
	struct stored stored = { .stream = STREAM_AUDIT_HEADS,
		.from = 1,
		.max = UINT64_MAX,
		.timeout_ms = (int)opt->connection.timeout_ms };
	uint64_t pending = 0;
	enum status s = connection_open(&opt->connection, "ops", &stored.bus, err);

	if (!s)
		s = stored_read(&stored, add_stored, heads, &pending, err);
	bus_close(stored.bus);
	return s ? err_prefix(err, "signed heads in NATS (--no-stream does without)") : s;
}

static void add_row(void *arg, const struct ledger_head *head)
{
	audit_heads_add(arg, AUDIT_IN_TABLE, head);
}

/* The table last: ww-audit tells it first, so that what is elsewhere has to be there. */
static enum status read_heads(
    const struct audit_options *opt, struct db *db, struct audit_heads *heads, struct err *err)
{
	enum status s = opt->no_stream ? STATUS_OK : read_stream(opt, heads, err);

	for (size_t i = 0; i < opt->heads.len && !s; i++)
		s = audit_heads_read_file(heads, opt->heads.at[i], err);
	return s ? s : audit_store_heads(db, add_row, heads, err);
}

static enum status open_database(
    const struct audit_options *opt, struct db **ret_db, struct err *err)
{
	char url[SECRET_SIZE];
	enum status s;

	if (!opt->database_url_file)
		return err_set(err, STATUS_INVALID,
		    "give --database-url-file, with the connection string of a role that may read"
		    " the schema audit");
	s = secret_read(opt->database_url_file, url, err);
	if (!s)
		s = audit_store_open(url, ret_db, err);
	explicit_bzero(url, sizeof(url));
	return s;
}

/* Prints what it finds; ret_verify is then only to be looked at. */
static enum status verify_with(const struct audit_options *opt, const struct ledger_keys *keys,
    struct audit_verify *ret_verify, struct err *err)
{
	struct audit_heads heads;
	enum status s;

	*ret_verify = (struct audit_verify){ .heads = &heads };
	audit_heads_init(&heads, keys);
	s = open_database(opt, &ret_verify->db, err);
	if (!s)
		s = read_heads(opt, ret_verify->db, &heads, err);
	if (!s)
		s = audit_verify_all(ret_verify, err);
	db_close(ret_verify->db);
	audit_heads_finish(&heads);
	return s;
}

static enum status verify_all(
    const struct audit_options *opt, struct audit_verify *ret_verify, struct err *err)
{
	struct ledger_keys *keys = ledger_keys_new();
	enum status s = STATUS_OK;

	if (opt->keys.len == 0)
		s = err_set(err, STATUS_INVALID, "give --key, the public key of ww-audit");
	for (size_t i = 0; i < opt->keys.len && !s; i++)
		s = ledger_keys_read(keys, opt->keys.at[i], err);
	if (!s)
		s = verify_with(opt, keys, ret_verify, err);
	ledger_keys_free(keys);
	return s;
}

static enum status verify(
    const struct audit_options *opt, const char *operand, bool *ret_good, struct err *err)
{
	struct audit_verify verify;
	enum status s = verify_all(opt, &verify, err);

	(void)operand;
	*ret_good = !s && !verify.is_broken;
	return s;
}

/* --- accept-loss --- */

static enum status note(const struct audit_options *opt, Walletwire__V1__AuditAction action,
    const char *about, int64_t up_to, struct err *err)
{
	struct bus *bus = NULL;
	enum status s = connection_open(&opt->connection, "ops", &bus, err);

	if (!s)
		s = audit_note(bus, action, about, (uint64_t)up_to, opt->asked_by, err);
	bus_close(bus);
	return s;
}

/* Only what verify finds lost, and only behind the number that it names. */
static enum status accept_loss(
    const struct audit_options *opt, const char *operand, bool *ret_good, struct err *err)
{
	struct audit_verify verify;
	const struct audit_verdict *found = &verify.shards[opt->shard];
	char shard[24];
	enum status s;

	(void)operand;
	*ret_good = true;
	if (opt->after < 0)
		return err_set(err, STATUS_INVALID, "give --after, as `ww audit verify` tells it");
	s = verify_all(opt, &verify, err);
	if (s)
		return s;
	if (found->fault != LEDGER_TRUNCATED && found->fault != LEDGER_REWRITTEN)
		return err_set(
		    err, STATUS_INVALID, "shard %" PRId64 " has lost nothing", opt->shard);
	if (found->sealed != opt->after)
		return err_set(err, STATUS_INVALID,
		    "shard %" PRId64 " fits its heads up to number %" PRId64 ", not %" PRId64,
		    opt->shard, found->sealed, opt->after);
	(void)snprintf(shard, sizeof(shard), "%" PRId64, opt->shard);
	s = note(opt, WALLETWIRE__V1__AUDIT_ACTION__AUDIT_ACTION_AUDIT_LOSS_ACCEPTED, shard,
	    opt->after, err);
	if (!s)
		(void)printf("shard %" PRId64 ": the loss of what was behind number %" PRId64
			     " is accepted as soon as ww-audit has stored and signed it\n",
		    opt->shard, opt->after);
	return s;
}

/* --- tail --- */

static enum status tail(
    const struct audit_options *opt, const char *operand, bool *ret_good, struct err *err)
{
	int signal_fd = cli_signal_fd(); /* before threads are started */
	struct db *db = NULL;
	enum status s = open_database(opt, &db, err);

	(void)operand;
	*ret_good = true;
	if (!s)
		s = note(
		    opt, WALLETWIRE__V1__AUDIT_ACTION__AUDIT_ACTION_AUDIT_EXPORTED, NULL, 0, err);
	if (!s)
		s = audit_tail(db, signal_fd, err);
	(void)close(signal_fd);
	db_close(db);
	return s;
}

/* --- who-was-told, export --- */

/* A time of the command line. */
struct span {
	int64_t since_us, until_us; /* 0: now */
};

static enum status read_span(
    const struct audit_options *opt, struct span *ret_span, struct err *err)
{
	int64_t now = clock_wall_us();
	enum status s = moment_parse(opt->since, now, &ret_span->since_us, err);

	if (s)
		return err_prefix(err, "--since");
	ret_span->until_us = 0;
	if (opt->until && moment_parse(opt->until, now, &ret_span->until_us, err))
		return err_prefix(err, "--until");
	return STATUS_OK;
}

/* One question after the other, until there is no `next`. */
struct asking {
	const struct audit_options *opt;
	struct span span;
	struct bus *bus;
	struct arena arena; /* of a page */
};
typedef enum status (*page_fn)(
    struct asking *asking, const char *after, const char **ret_next, struct err *err);

static enum status ask_pages(const struct audit_options *opt, page_fn page, struct err *err)
{
	struct asking asking = { .opt = opt };
	struct buf after = BUF_INIT;
	enum status s = read_span(opt, &asking.span, err);

	arena_init(&asking.arena, ANSWER_MEMORY);
	if (!s)
		s = connection_open(&opt->connection, "ops", &asking.bus, err);
	while (!s) {
		const char *next = "";

		arena_reset(&asking.arena);
		s = page(&asking, buf_str(&after), &next, err);
		buf_finish(&after);
		buf_append_str(&after, next);
		if (after.len == 0)
			break;
	}
	buf_finish(&after);
	bus_close(asking.bus);
	arena_finish(&asking.arena);
	return s;
}

static void print_moment(
    const char *what, const Google__Protobuf__Timestamp *at, const char *session)
{
	char when[TIMESTAMP_TEXT_SIZE];

	if (!at)
		return;
	(void)timestamp_format(message_time_us(at) / 1000, when);
	(void)printf("  %s %s%s%s", what, when, session[0] ? " by " : "", session);
}

static void print_told(const Walletwire__V1__ToldItem *item)
{
	char when[TIMESTAMP_TEXT_SIZE] = "";

	if (item->told_at)
		(void)timestamp_format(message_time_us(item->told_at) / 1000, when);
	(void)printf("%6" PRIu64 "  %-24s  %-40s", item->seq, when, item->event_key);
	print_moment("seen", item->seen_at, item->seen_session_id);
	print_moment("read", item->read_at, item->read_session_id);
	print_moment("recalled", item->recalled_at, "");
	print_moment("expired", item->expired_at, "");
	(void)putchar('\n');
}

static enum status told_page(
    struct asking *asking, const char *after, const char **ret_next, struct err *err)
{
	Walletwire__V1__WhoWasToldRequest request = WALLETWIRE__V1__WHO_WAS_TOLD_REQUEST__INIT;
	const Walletwire__V1__WhoWasToldReply *reply;
	const ProtobufCMessage *message = NULL;
	enum status s;

	request.user_id = arena_strdup(&asking->arena, asking->opt->user);
	request.since_us = asking->span.since_us;
	request.until_us = asking->span.until_us;
	request.after = arena_strdup(&asking->arena, after);
	request.asked_by = arena_strdup(&asking->arena, asking->opt->asked_by);
	s = connection_ask(asking->bus, &asking->opt->connection, "ww.backend.audit.who_was_told",
	    &request.base, &walletwire__v1__who_was_told_reply__descriptor, &asking->arena,
	    &message, err);
	if (s)
		return s;
	reply = (const void *)message;
	for (size_t i = 0; i < reply->n_items; i++) {
		if (asking->opt->json)
			cli_print_json(&reply->items[i]->base);
		else
			print_told(reply->items[i]);
	}
	*ret_next = reply->next;
	return STATUS_OK;
}

static enum status who_was_told(
    const struct audit_options *opt, const char *operand, bool *ret_good, struct err *err)
{
	(void)operand;
	*ret_good = true;
	if (!opt->user)
		return err_set(err, STATUS_INVALID, "give --user");
	return ask_pages(opt, told_page, err);
}

static enum status export_page(
    struct asking *asking, const char *after, const char **ret_next, struct err *err)
{
	Walletwire__V1__AuditExportRequest request = WALLETWIRE__V1__AUDIT_EXPORT_REQUEST__INIT;
	const Walletwire__V1__AuditExportReply *reply;
	const ProtobufCMessage *message = NULL;
	enum status s;

	request.since_us = asking->span.since_us;
	request.until_us = asking->span.until_us;
	request.after = arena_strdup(&asking->arena, after);
	request.asked_by = arena_strdup(&asking->arena, asking->opt->asked_by);
	s = connection_ask(asking->bus, &asking->opt->connection, "ww.backend.audit.export",
	    &request.base, &walletwire__v1__audit_export_reply__descriptor, &asking->arena,
	    &message, err);
	if (s)
		return s;
	reply = (const void *)message;
	for (size_t i = 0; i < reply->n_records; i++)
		cli_print_json(&reply->records[i]->base);
	*ret_next = reply->next;
	return STATUS_OK;
}

/* What is stored meanwhile, the record of each page among it, is not part of it. */
static enum status export_all(
    const struct audit_options *opt, const char *operand, bool *ret_good, struct err *err)
{
	struct audit_options until_now = *opt;
	char now[TIMESTAMP_TEXT_SIZE];

	(void)operand;
	*ret_good = true;
	(void)timestamp_format(clock_wall_ms(), now);
	if (!opt->until)
		until_now.until = now;
	return ask_pages(&until_now, export_page, err);
}

/* --- key --- */

static enum status print_key(
    const struct audit_options *opt, const char *path, bool *ret_good, struct err *err)
{
	struct ledger_key *key = NULL;
	struct buf text = BUF_INIT;
	enum status s = STATUS_OK;

	*ret_good = true;
	if (!path)
		return err_set(err, STATUS_INVALID, "give the file of the private key");
	if (opt->make && access(path, F_OK) != 0)
		s = ledger_key_make(path, err);
	if (!s)
		s = ledger_key_read_private(path, &key, err);
	if (s)
		return s;
	ledger_key_append_public(&text, key);
	(void)fputs(buf_str(&text), stdout);
	buf_finish(&text);
	ledger_key_free(key);
	return STATUS_OK;
}

static const struct audit_verb {
	const char *name;
	size_t operands; /* itself included */
	enum status (*run)(
	    const struct audit_options *opt, const char *operand, bool *ret_good, struct err *err);
} verbs[] = {
	{ "verify", 1, verify },
	{ "who-was-told", 1, who_was_told },
	{ "export", 1, export_all },
	{ "tail", 1, tail },
	{ "accept-loss", 1, accept_loss },
	{ "key", 2, print_key },
};

static const struct audit_verb *find_verb(const struct option_list *operands)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs) && operands->len > 0; i++) {
		if (strcmp(verbs[i].name, operands->at[0]) == 0 &&
		    operands->len == verbs[i].operands)
			return &verbs[i];
	}
	return NULL;
}

static enum cli_exit run_verb(const struct audit_options *opt, const struct option_list *operands)
{
	const struct audit_verb *verb = find_verb(operands);
	struct err err = ERR_INIT;
	bool good = true;

	if (!verb)
		return cli_misused("audit",
		    "give verify, who-was-told, export, tail, accept-loss, or key and the file");
	if (verb->run(opt, operands->len > 1 ? operands->at[1] : NULL, &good, &err))
		return cli_failed("audit", &err);
	return good ? CLI_OK : CLI_FAILED;
}

enum cli_exit cmd_audit(int argc, char **argv)
{
	struct audit_options *opt = xcalloc(1, sizeof(*opt));
	struct option_list operands;
	enum cli_exit code;

	if (cli_options(&usage, opt, &operands, argc, argv, &code))
		code = run_verb(opt, &operands);
	free(opt);
	return code;
}
