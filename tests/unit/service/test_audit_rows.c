/* What becomes of audit records until they are rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/subject.h"
#include "bus/provision.h"
#include "service/audit.h"
#include "support/support.h"

enum { NOW_US = 1700000000 };

static struct arena arena;
static const struct audit_outbox outbox = { .service = "notifications" };
static struct audit audit;

static void setup(void)
{
	AuditActor by = audit_actor(AUDIT_BY(BACKEND), "");

	arena_init(&arena, SIZE_MAX);
	audit = (struct audit){ 0 };
	audit_begin(&audit, &outbox, &by, &arena, NOW_US);
}

static void teardown(void)
{
	arena_finish(&arena);
}

static const Walletwire__V1__AuditRecords *unpack(const struct outbox_row *row)
{
	Walletwire__V1__AuditRecords *records = walletwire__v1__audit_records__unpack(
	    arena_allocator(&arena), row->payload.len, row->payload.data);

	ck_assert_ptr_nonnull(records);
	return records;
}

static void add_for_users(size_t users, const char *id)
{
	AuditRecord *record = audit_record(&audit, AUDIT_ACTION(ITEM_EXPIRED), users);

	for (size_t i = 0; i < users; i++)
		audit_record_user(record, id)->item = i + 1;
	record->n = users;
	audit_add(&audit, record);
}

static const char *longest_id(void)
{
	static char id[SUBJECT_ID_MAX + 1];

	memset(id, 'x', SUBJECT_ID_MAX);
	return id;
}

START_TEST(a_record_names_itself_its_service_its_time_and_who_acted)
{
	struct outbox_row *rows;
	const AuditRecord *record;
	char id[64];

	add_for_users(1, "alice");
	ck_assert_uint_eq(audit_rows(&audit, &rows), 1);
	record = unpack(&rows[0])->records[0];
	(void)snprintf(id, sizeof(id), "%s-0", audit.id);
	ck_assert_str_eq(record->id, id);
	ck_assert_str_eq(rows[0].message_id, id);
	ck_assert_str_eq(record->service, "notifications");
	ck_assert_int_eq(record->at_us, NOW_US);
	ck_assert_int_eq(record->actor->kind, AUDIT_BY(BACKEND));
	ck_assert_str_eq(record->users[0]->user_id, "alice");
}
END_TEST

START_TEST(many_records_are_one_row)
{
	struct outbox_row *rows;

	for (int i = 0; i < 500; i++)
		add_for_users(1, "alice");
	ck_assert_uint_eq(audit_rows(&audit, &rows), 1);
	ck_assert_uint_eq(unpack(&rows[0])->n_records, 500);
}
END_TEST

START_TEST(what_does_not_fit_a_message_becomes_rows_with_all_records_in_order)
{
	struct outbox_row *rows;
	unsigned next = 0;
	size_t n;

	for (int i = 0; i < 500; i++)
		add_for_users((size_t)(i % 12), longest_id());
	n = audit_rows(&audit, &rows);
	ck_assert_uint_gt(n, 1);
	for (size_t i = 0; i < n; i++) {
		const Walletwire__V1__AuditRecords *records = unpack(&rows[i]);

		ck_assert_uint_le(rows[i].payload.len, STREAM_DATA_MAX);
		/* As full as it can be: nobody is left with a thousand rows. */
		if (i + 1 < n)
			ck_assert_uint_gt(rows[i].payload.len, STREAM_DATA_MAX - 4096);
		ck_assert_str_eq(rows[i].message_id, records->records[0]->id);
		for (size_t j = 0; j < records->n_records; j++) {
			char id[64];

			(void)snprintf(id, sizeof(id), "%s-%u", audit.id, next++);
			ck_assert_str_eq(records->records[j]->id, id);
		}
	}
	ck_assert_uint_eq(next, 500);
}
END_TEST

START_TEST(a_record_of_too_many_users_becomes_several)
{
	struct outbox_row *rows;
	uint64_t next = 1;
	size_t n;

	add_for_users(2 * AUDIT_USERS_MAX + 1, longest_id());
	n = audit_rows(&audit, &rows);
	for (size_t i = 0; i < n; i++) {
		const Walletwire__V1__AuditRecords *records = unpack(&rows[i]);

		ck_assert_uint_le(rows[i].payload.len, STREAM_DATA_MAX);
		for (size_t j = 0; j < records->n_records; j++) {
			const AuditRecord *record = records->records[j];

			ck_assert_uint_eq(record->n, record->n_users);
			for (size_t k = 0; k < record->n_users; k++)
				ck_assert_uint_eq(record->users[k]->item, next++);
		}
	}
	ck_assert_uint_eq(next, 2 * AUDIT_USERS_MAX + 2);
	ck_assert_uint_eq(audit.n, 3);
}
END_TEST

START_TEST(the_next_try_starts_anew_under_the_same_names)
{
	AuditActor by = audit_actor(AUDIT_BY(USER), "alice");
	struct outbox_row *rows;
	char first[64];

	add_for_users(1, "alice");
	add_for_users(1, "alice");
	ck_assert_uint_eq(audit_rows(&audit, &rows), 1);
	(void)snprintf(first, sizeof(first), "%s", rows[0].message_id);
	audit_begin(&audit, &outbox, &by, &arena, NOW_US);
	ck_assert_uint_eq(audit_rows(&audit, &rows), 0);
	add_for_users(1, "alice");
	ck_assert_uint_eq(audit_rows(&audit, &rows), 1);
	ck_assert_uint_eq(unpack(&rows[0])->n_records, 1);
	ck_assert_str_eq(rows[0].message_id, first);
}
END_TEST

START_TEST(who_asks_is_an_operator_by_the_nats_user_alone)
{
	struct request ops = { .requester = "ops" }, backend = { .requester = "backend" };
	struct err err = ERR_INIT;
	AuditActor by;

	ck_assert_ok(audit_requester(&ops, "olga", &by, &err), err);
	ck_assert_int_eq(by.kind, AUDIT_BY(OPERATOR));
	ck_assert_str_eq(by.id, "olga");
	ck_assert_ok(audit_requester(&backend, "ops", &by, &err), err);
	ck_assert_int_eq(by.kind, AUDIT_BY(BACKEND));
	ck_assert_int_eq(
	    audit_requester(&ops, arena_printf(&arena, "%s%s", longest_id(), "x"), &by, &err),
	    STATUS_INVALID);
	ck_assert_str_eq(err.field, "askedBy");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit_rows");
	TCase *tcase = tcase_create("rows");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_record_names_itself_its_service_its_time_and_who_acted);
	tcase_add_test(tcase, many_records_are_one_row);
	tcase_add_test(tcase, what_does_not_fit_a_message_becomes_rows_with_all_records_in_order);
	tcase_add_test(tcase, a_record_of_too_many_users_becomes_several);
	tcase_add_test(tcase, the_next_try_starts_anew_under_the_same_names);
	tcase_add_test(tcase, who_asks_is_an_operator_by_the_nats_user_alone);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
