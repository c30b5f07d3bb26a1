/* A row is filled with records until the next one would not fit a message of the stream. */
#include "service/audit.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/subject.h"
#include "bus/provision.h"

struct audit_record {
	struct audit_record *next;
	const char *id;
	struct bytes
	    packed; /* as AuditRecords of this one: those of several are their bytes in a row */
};

/* --- who --- */

AuditActor audit_actor(Walletwire__V1__AuditActorKind kind, const char *id)
{
	AuditActor actor = WALLETWIRE__V1__AUDIT_ACTOR__INIT;

	actor.kind = kind;
	actor.id = message_lend(id);
	return actor;
}

AuditActor audit_caller(const Walletwire__V1__Caller *caller)
{
	AuditActor actor = audit_actor(AUDIT_BY(USER), caller->user_id);

	/* An edge's are short: what is not is none. */
	if (strlen(caller->session_id) <= SUBJECT_ID_MAX)
		actor.session_id = caller->session_id;
	return actor;
}

enum status audit_requester(
    const struct request *req, const char *asked_by, AuditActor *ret_actor, struct err *err)
{
	bool is_operator = strcmp(req->requester, "ops") == 0;

	if (strlen(asked_by) > SUBJECT_ID_MAX)
		return err_invalid(err, "askedBy", "is longer than %d bytes", SUBJECT_ID_MAX);
	*ret_actor = audit_actor(is_operator ? AUDIT_BY(OPERATOR) : AUDIT_BY(BACKEND), asked_by);
	return STATUS_OK;
}

/* --- what --- */

void audit_begin(struct audit *audit, const struct audit_outbox *outbox, const AuditActor *by,
    struct arena *arena, int64_t now_us)
{
	if (!audit->id[0])
		id_random(audit->id);
	audit->outbox = outbox;
	audit->arena = arena;
	audit->at_us = now_us;
	audit->by = *by;
	audit->n = 0;
	audit->first = audit->last = NULL;
}

AuditRecord *audit_record(struct audit *audit, Walletwire__V1__AuditAction action, size_t users_max)
{
	AuditRecord *record = MESSAGE_NEW(audit->arena, audit_record);

	record->action = action;
	record->users = arena_alloc(audit->arena, users_max * sizeof(AuditUser *));
	for (size_t i = 0; i < users_max; i++)
		record->users[i] = MESSAGE_NEW(audit->arena, audit_user);
	record->ids = arena_alloc(audit->arena, sizeof(char *));
	return record;
}

AuditUser *audit_record_user(AuditRecord *record, const char *user_id)
{
	AuditUser *user = record->users[record->n_users++];

	user->user_id = message_lend(user_id);
	return user;
}

void audit_record_id(AuditRecord *record, const char *id)
{
	assert(record->n_ids == 0);
	record->ids[record->n_ids++] = message_lend(id);
}

void audit_record_event(AuditRecord *record, const char *event_key)
{
	record->event_key = message_lend(event_key);
}

static void add(struct audit *audit, AuditRecord *record)
{
	Walletwire__V1__AuditRecords alone = WALLETWIRE__V1__AUDIT_RECORDS__INIT;
	struct audit_record *added = arena_alloc(audit->arena, sizeof(*added));

	record->id = arena_printf(audit->arena, "%s-%u", audit->id, audit->n++);
	record->at_us = audit->at_us;
	record->service = message_lend(audit->outbox->service);
	if (!record->actor)
		record->actor = &audit->by;
	alone.n_records = 1;
	alone.records = &record;
	added->id = record->id;
	added->packed = message_pack(&alone.base, audit->arena);
	assert(added->packed.len <= STREAM_DATA_MAX); /* ids are bounded where they come in */
	if (audit->last)
		audit->last->next = added;
	else
		audit->first = added;
	audit->last = added;
}

void audit_add(struct audit *audit, AuditRecord *record)
{
	AuditRecord part = *record;

	if (record->n_users <= AUDIT_USERS_MAX) {
		add(audit, &part);
		return;
	}
	for (size_t i = 0; i < record->n_users; i += AUDIT_USERS_MAX) {
		size_t left = record->n_users - i;

		part = *record;
		part.users = &record->users[i];
		part.n = part.n_users = left < AUDIT_USERS_MAX ? left : AUDIT_USERS_MAX;
		add(audit, &part);
	}
}

static void add_user(
    struct audit *audit, Walletwire__V1__AuditAction action, const char *user_id, uint64_t n)
{
	AuditRecord *record = audit_record(audit, action, 1);

	(void)audit_record_user(record, user_id);
	record->n = n;
	audit_add(audit, record);
}

void audit_erased(struct audit *audit, const char *user_id, uint64_t rows)
{
	add_user(audit, AUDIT_ACTION(USER_ERASED), user_id, rows);
}

/* --- rows --- */

/* The records from this one on that fit one row: their bytes; `*at` is the first one beyond. */
static struct bytes join(const struct audit_record **at, struct arena *arena)
{
	const struct audit_record *end = *at;
	size_t size = 0, len = 0;
	uint8_t *data;

	for (; end && size + end->packed.len <= STREAM_DATA_MAX; end = end->next)
		size += end->packed.len;
	data = arena_alloc(arena, size);
	for (; *at != end; *at = (*at)->next) {
		memcpy(data + len, (*at)->packed.data, (*at)->packed.len);
		len += (*at)->packed.len;
	}
	return bytes_of(data, size);
}

size_t audit_rows(const struct audit *audit, struct outbox_row **ret_rows)
{
	const struct audit_record *at = audit->first;
	size_t n = 0;

	*ret_rows = arena_alloc(audit->arena, audit->n * sizeof(**ret_rows));
	while (at) {
		(*ret_rows)[n].message_id = at->id;
		(*ret_rows)[n++].payload = join(&at, audit->arena);
	}
	return n;
}

enum status audit_write(struct audit *audit, struct db *db, struct err *err)
{
	struct outbox_row *rows;
	size_t n = audit_rows(audit, &rows);

	if (n == 0)
		return STATUS_OK;
	return outbox_insert(db, audit->outbox->insert, rows, n, audit->arena, err);
}

enum status audit_write_later(struct audit *audit, struct db *db, struct err *err)
{
	struct outbox_row *rows;
	size_t n = audit_rows(audit, &rows);

	if (n == 0)
		return STATUS_OK;
	return outbox_insert_later(db, audit->outbox->insert, rows, n, audit->arena, err);
}

/* --- an export --- */

enum { EXPORT_ATTEMPTS = 3 };

/* A unit of work that can be run again. */
struct export
{
	const struct audit_outbox *outbox;
	const char *user_id;
	struct arena *arena;
	AuditActor by;
	struct audit audit;
};

static enum status write_export(void *arg, struct db *db, struct err *err)
{
	struct export *export = arg;

	audit_begin(&export->audit, export->outbox, &export->by, export->arena, clock_wall_us());
	add_user(&export->audit, AUDIT_ACTION(USER_EXPORTED), export->user_id, 0);
	return audit_write(&export->audit, db, err);
}

enum status audit_export(struct request *req, const struct audit_outbox *outbox,
    const char *user_id, const char *asked_by, struct err *err)
{
	struct export export = { .outbox = outbox, .user_id = user_id, .arena = req->arena };
	enum status s = audit_requester(req, asked_by, &export.by, err);

	return s ? s : db_transaction(req->db, EXPORT_ATTEMPTS, write_export, &export, err);
}
