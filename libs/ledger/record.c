/* Texts become columns of PostgreSQL, which takes UTF-8 alone. */
#include "ledger/record.h"

#include "base/subject.h"
#include "base/text.h"

enum { RECORD_ID_MAX = 128 };

typedef Walletwire__V1__AuditRecord Record;

static bool is_plain(const char *text, size_t max)
{
	return strlen(text) <= max && text_is_utf8(bytes_of_str(text));
}

static bool can_be_stored(const Record *record)
{
	if (!record->id[0] || !is_plain(record->id, RECORD_ID_MAX) || record->at_us <= 0 ||
	    record->n_users > LEDGER_USERS_MAX)
		return false;
	for (size_t i = 0; i < record->n_users; i++) {
		if (!is_plain(record->users[i]->user_id, SUBJECT_ID_MAX))
			return false;
	}
	return !record->actor || is_plain(record->actor->id, SUBJECT_ID_MAX);
}

Record *ledger_record_unpack(struct bytes packed, struct arena *arena)
{
	Record *record =
	    walletwire__v1__audit_record__unpack(arena_allocator(arena), packed.len, packed.data);

	return record && can_be_stored(record) ? record : NULL;
}

const char **ledger_record_users(const Record *record, struct arena *arena, size_t *ret_len)
{
	const char **users = arena_alloc(arena, (record->n_users + 1) * sizeof(*users));
	size_t len = 0;

	for (size_t i = 0; i < record->n_users; i++)
		users[len++] = record->users[i]->user_id;
	if (record->actor &&
	    record->actor->kind == WALLETWIRE__V1__AUDIT_ACTOR_KIND__AUDIT_ACTOR_KIND_USER &&
	    record->actor->id[0])
		users[len++] = record->actor->id;
	*ret_len = len;
	return users;
}
