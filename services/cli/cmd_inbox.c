/* ww inbox: what is in a user's inbox, what counts as unread, and whether the two agree. */
#include <stdio.h>
#include <stdlib.h>

#include "base/message.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "cli.h"
#include "codec/reflect.h"
#include "connection.h"
#include "walletwire/v1/notifications.pb-c.h"

struct inbox_options {
	struct connection_options connection;
	const char *before, *priority;
	struct option_list types;
	int64_t limit;
	bool unread_only, json;
};

#define ROW(field, name, type, dflt, min, max, value, help)                                     \
	{                                                                                       \
		name, type, offsetof(struct inbox_options, field), NULL, dflt, min, max, value, \
		    help                                                                        \
	}

static const struct option_row rows[] = {
	ROW(json, "json", OPTION_FLAG, NULL, 0, 0, NULL, "the answer as JSON"),
	ROW(limit, "limit", OPTION_INT, "20", 1, 100, "N", "list: so many at most"),
	ROW(before, "before", OPTION_TEXT, NULL, 0, 0, "CURSOR", "list: the page after `next`"),
	ROW(unread_only, "unread-only", OPTION_FLAG, NULL, 0, 0, NULL,
	    "list: only what is not read"),
	ROW(types, "type", OPTION_LIST, NULL, 0, 0, "KIND",
	    "list: only this kind; may be given again"),
	ROW(priority, "priority", OPTION_TEXT, NULL, 0, 0, "WORD", "list: only this priority"),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "inbox",
	.operands = "list|unread USER | verify USER...",
	.operands_max = OPTION_LIST_MAX,
	.help = "list    the inbox, newest first\n"
		"unread  the counters\n"
		"verify  counters against a recount of the rows, numbers against gaps, of every "
		"user;\n        exit code 1 if they differ for one of them",
	.rows = rows,
	.more_rows = connection_rows,
};

/* One verb of the command: asks, prints, and says whether all is well. */
struct inbox {
	const struct inbox_options *opt;
	const char *user;
	struct bus *bus;
	struct arena arena;
};

static void caller_init(struct inbox *inbox, Walletwire__V1__Caller *caller)
{
	walletwire__v1__caller__init(caller);
	caller->user_id = arena_strdup(&inbox->arena, inbox->user);
}

static void print_item(const Walletwire__V1__ListItem *item)
{
	const Walletwire__V1__Notification *n = item->notification;
	char when[TIMESTAMP_TEXT_SIZE] = "", state[64], priority[64];

	if (!n)
		return;
	if (n->created_at)
		(void)timestamp_format(message_time_us(n->created_at) / 1000, when);
	reflect_enum_word(&walletwire__v1__inbox_state__descriptor, (int)item->state, state);
	reflect_enum_word(&walletwire__v1__priority__descriptor, (int)n->priority, priority);
	(void)printf("%6llu  %-24s  %-8s  %-8s  %-12s  %s: %s  (%s)\n", (unsigned long long)n->seq,
	    when, state, priority, n->type, n->title, n->text, n->id);
}

static enum status list_request(
    struct inbox *inbox, Walletwire__V1__ListRequest *request, struct err *err)
{
	const struct inbox_options *opt = inbox->opt;
	int priority = 0;

	walletwire__v1__list_request__init(request);
	request->limit = (uint32_t)opt->limit;
	request->unread_only = opt->unread_only;
	request->before = arena_strdup(&inbox->arena, opt->before ? opt->before : "");
	request->n_types = opt->types.len;
	request->types = arena_alloc(&inbox->arena, opt->types.len * sizeof(*request->types));
	for (size_t i = 0; i < opt->types.len; i++)
		request->types[i] = arena_strdup(&inbox->arena, opt->types.at[i]);
	if (opt->priority && !reflect_enum_value(&walletwire__v1__priority__descriptor,
				 bytes_of_str(opt->priority), &priority))
		return err_set(err, STATUS_INVALID, "--priority %s: low, normal, high or critical",
		    opt->priority);
	request->priority = (Walletwire__V1__Priority)priority;
	return STATUS_OK;
}

static enum status inbox_list(struct inbox *inbox, bool *ret_good, struct err *err)
{
	Walletwire__V1__ListRequest request;
	const Walletwire__V1__ListReply *reply;
	const ProtobufCMessage *message = NULL;
	Walletwire__V1__Caller caller;
	enum status s = list_request(inbox, &request, err);

	if (s)
		return s;
	caller_init(inbox, &caller);
	request.caller = &caller;
	s = connection_ask(inbox->bus, &inbox->opt->connection, "ww.svc.notifications.list",
	    &request.base, &walletwire__v1__list_reply__descriptor, &inbox->arena, &message, err);
	if (s)
		return s;
	*ret_good = true;
	reply = (const Walletwire__V1__ListReply *)(const void *)message;
	if (inbox->opt->json) {
		cli_print_json(message);
		return STATUS_OK;
	}
	for (size_t i = 0; i < reply->n_items; i++)
		print_item(reply->items[i]);
	if (reply->next[0])
		(void)printf("more: --before %s\n", reply->next);
	return STATUS_OK;
}

static enum status inbox_unread(struct inbox *inbox, bool *ret_good, struct err *err)
{
	Walletwire__V1__UnreadRequest request;
	const Walletwire__V1__UnreadReply *reply;
	const ProtobufCMessage *message = NULL;
	Walletwire__V1__Caller caller;
	enum status s;

	walletwire__v1__unread_request__init(&request);
	caller_init(inbox, &caller);
	request.caller = &caller;
	s = connection_ask(inbox->bus, &inbox->opt->connection, "ww.svc.notifications.unread",
	    &request.base, &walletwire__v1__unread_reply__descriptor, &inbox->arena, &message, err);
	if (s)
		return s;
	*ret_good = true;
	reply = (const Walletwire__V1__UnreadReply *)(const void *)message;
	if (inbox->opt->json) {
		cli_print_json(message);
		return STATUS_OK;
	}
	(void)printf(
	    "%u unread (version %llu)\n", reply->total, (unsigned long long)reply->version);
	for (size_t i = 0; i < reply->n_by_type; i++)
		(void)printf("  %-14s %u\n", reply->by_type[i]->key, reply->by_type[i]->value);
	for (size_t i = 0; i < reply->n_by_priority; i++)
		(void)printf(
		    "  %-14s %u\n", reply->by_priority[i]->key, reply->by_priority[i]->value);
	return STATUS_OK;
}

static void print_verdict(const struct inbox *inbox, const Walletwire__V1__VerifyReply *reply)
{
	(void)printf(
	    "%s: %s: seq %llu, rev %llu, %llu mailbox rows, %llu inbox rows, unread %u stored, %u"
	    " counted\n",
	    inbox->user, reply->consistent ? "consistent" : "NOT CONSISTENT",
	    (unsigned long long)reply->seq, (unsigned long long)reply->rev,
	    (unsigned long long)reply->mailbox_rows, (unsigned long long)reply->inbox_rows,
	    reply->stored ? reply->stored->total : 0, reply->counted ? reply->counted->total : 0);
	for (size_t i = 0; i < reply->n_findings; i++)
		(void)printf("  %s\n", reply->findings[i]);
}

static enum status inbox_verify(struct inbox *inbox, bool *ret_good, struct err *err)
{
	Walletwire__V1__VerifyRequest request;
	const Walletwire__V1__VerifyReply *reply;
	const ProtobufCMessage *message = NULL;
	enum status s;

	walletwire__v1__verify_request__init(&request);
	request.user_id = arena_strdup(&inbox->arena, inbox->user);
	s = connection_ask(inbox->bus, &inbox->opt->connection, "ww.backend.notifications.verify",
	    &request.base, &walletwire__v1__verify_reply__descriptor, &inbox->arena, &message, err);
	if (s)
		return s;
	reply = (const Walletwire__V1__VerifyReply *)(const void *)message;
	*ret_good = reply->consistent;
	if (inbox->opt->json)
		cli_print_json(message);
	else
		print_verdict(inbox, reply);
	return STATUS_OK;
}

static const struct inbox_verb {
	const char *name;
	enum status (*run)(struct inbox *inbox, bool *ret_good, struct err *err);
	bool takes_many; /* users */
} verbs[] = {
	{ "list", inbox_list, false },
	{ "unread", inbox_unread, false },
	{ "verify", inbox_verify, true },
};

static enum cli_exit run_verb(const struct inbox_verb *verb, const struct inbox_options *opt,
    const char *const *users, size_t len)
{
	struct inbox inbox = { .opt = opt };
	struct err err = ERR_INIT;
	bool all_good = true;
	enum status s;

	arena_init(&inbox.arena, ANSWER_MEMORY);
	s = connection_open(&opt->connection, "ops", &inbox.bus, &err);
	for (size_t i = 0; i < len && !s; i++) {
		bool good = true;

		arena_reset(&inbox.arena);
		inbox.user = users[i];
		s = verb->run(&inbox, &good, &err);
		all_good = all_good && good;
	}
	bus_close(inbox.bus);
	arena_finish(&inbox.arena);
	if (s)
		return cli_failed("inbox", &err);
	return all_good ? CLI_OK : CLI_FAILED;
}

enum cli_exit cmd_inbox(int argc, char **argv)
{
	struct inbox_options *opt = xcalloc(1, sizeof(*opt));
	const struct inbox_verb *verb = NULL;
	struct option_list operands;
	enum cli_exit code;
	bool runs = cli_options(&usage, opt, &operands, argc, argv, &code);

	for (size_t i = 0; i < ARRAY_LEN(verbs) && operands.len > 0; i++) {
		if (strcmp(verbs[i].name, operands.at[0]) == 0)
			verb = &verbs[i];
	}
	if (runs && (!verb || operands.len < 2 || (operands.len > 2 && !verb->takes_many)))
		code = cli_misused("inbox", "give list, unread or verify, and the user");
	else if (runs)
		code = run_verb(verb, opt, operands.at + 1, operands.len - 1);
	free(opt);
	return code;
}
