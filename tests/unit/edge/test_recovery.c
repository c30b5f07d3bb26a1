/* What clients recover with: made, read, and forged. */
#include <stdio.h>
#include <string.h>

#include "base/attrs.h"
#include "recovery.h"
#include "support/support.h"

#define SID "AAAAAAAAAAAAAAAAAAAA"
#define EPOCH "eeeeeeeeeeeeeeeeeeee"

static const struct position at = { EPOCH, 41, 7 };

static struct recovery_keys keys(const char *key, const char *old)
{
	return (struct recovery_keys){ bytes_of_str(key), bytes_of_str(old) };
}

static bool reads(const struct recovery_keys *with, const char *pid, const char *user)
{
	struct position back;
	char sid[ID_SIZE];

	if (!recovery_read_pid(with, bytes_of_str(pid), user, sid, &back))
		return false;
	ck_assert_str_eq(sid, SID);
	ck_assert_str_eq(back.epoch, EPOCH);
	ck_assert_uint_eq(back.seq, 41);
	ck_assert_uint_eq(back.log_seq, 7);
	return true;
}

START_TEST(a_pid_is_read_by_its_user_alone)
{
	struct recovery_keys with = keys("key", "");
	char pid[RECOVERY_PID_SIZE];

	recovery_make_pid(&with, SID, "alice", &at, pid);
	ck_assert_int_eq(strncmp(pid, SID "." EPOCH ".41.7.", 46), 0);
	ck_assert(reads(&with, pid, "alice"));
	ck_assert(!reads(&with, pid, "alic"));
	ck_assert(!reads(&with, pid, "bob"));
	ck_assert(!reads(&with, pid, ""));
}
END_TEST

START_TEST(a_key_can_be_replaced)
{
	struct recovery_keys before = keys("one", ""), during = keys("two", "one"),
			     after = keys("two", "");
	char pid[RECOVERY_PID_SIZE];

	recovery_make_pid(&before, SID, "alice", &at, pid);
	ck_assert(reads(&during, pid, "alice"));
	ck_assert(!reads(&after, pid, "alice"));
	recovery_make_pid(&during, SID, "alice", &at, pid);
	ck_assert(reads(&after, pid, "alice"));
	ck_assert(!reads(&before, pid, "alice"));
}
END_TEST

START_TEST(a_pid_with_any_other_byte_is_refused)
{
	struct recovery_keys with = keys("key", "");
	char pid[RECOVERY_PID_SIZE];
	size_t len;

	recovery_make_pid(&with, SID, "alice", &at, pid);
	len = strlen(pid);
	for (size_t i = 0; i < len; i++) {
		char was = pid[i];

		for (int c = 0; c < 256; c++) {
			struct position back;
			char sid[ID_SIZE];

			if ((char)c == was)
				continue;
			pid[i] = (char)c;
			ck_assert_msg(
			    !recovery_read_pid(&with, bytes_of(pid, len), "alice", sid, &back),
			    "byte %zu as %d", i, c);
		}
		pid[i] = was;
	}
	for (size_t cut = 0; cut < len; cut++) {
		struct position back;
		char sid[ID_SIZE];

		ck_assert(!recovery_read_pid(&with, bytes_of(pid, cut), "alice", sid, &back));
	}
}
END_TEST

static const struct {
	const char *format; /* %s: the pid's tag */
	bool is_read;
	uint64_t seq, log_seq;
} offsets[] = {
	{ "%s." EPOCH ".0.0", true, 0, 0 },
	{ "%s." EPOCH ".99.12", true, 99, 12 },
	{ "%s." EPOCH ".999999999999999.1", true, 999999999999999, 1 },
	{ "%s." EPOCH ".1000000000000000.1", false, 0, 0 },
	{ "%s." EPOCH ".99.", false, 0, 0 },
	{ "%s." EPOCH ".99", false, 0, 0 },
	{ "%s." EPOCH ".-1.1", false, 0, 0 },
	{ "%s." EPOCH ".1.1.1", false, 0, 0 },
	{ "%s." EPOCH ".1.1x", false, 0, 0 },
	{ "%s..1.1", false, 0, 0 },
	{ "%s", false, 0, 0 },
	{ "AAAAAAAA." EPOCH ".1.1", false, 0, 0 },
	{ "." EPOCH ".1.1", false, 0, 0 },
	{ "Q862hge", false, 0, 0 },
	{ "", false, 0, 0 },
};

START_TEST(an_offset_belongs_to_its_pid)
{
	struct recovery_keys with = keys("key", "");
	char pid[RECOVERY_PID_SIZE], tag[RECOVERY_TAG_LEN + 1], prefix[RECOVERY_PREFIX_SIZE];
	char offset[128];
	struct position seen = { "", 0, 0 };

	recovery_make_pid(&with, SID, "alice", &at, pid);
	recovery_make_prefix(pid, EPOCH, prefix);
	(void)snprintf(tag, sizeof(tag), "%.*s", RECOVERY_TAG_LEN, prefix);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(offset, sizeof(offset), offsets[_i].format, tag);
#pragma GCC diagnostic pop
	ck_assert_int_eq(recovery_read_offset(bytes_of_str(offset), bytes_of_str(pid), &seen),
	    offsets[_i].is_read);
	if (offsets[_i].is_read) {
		ck_assert_uint_eq(seen.seq, offsets[_i].seq);
		ck_assert_uint_eq(seen.log_seq, offsets[_i].log_seq);
		ck_assert_str_eq(seen.epoch, EPOCH);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recovery");
	TCase *tc = tcase_create("recovery");

	tcase_add_test(tc, a_pid_is_read_by_its_user_alone);
	tcase_add_test(tc, a_key_can_be_replaced);
	tcase_add_test(tc, a_pid_with_any_other_byte_is_refused);
	tcase_add_loop_test(tc, an_offset_belongs_to_its_pid, 0, (int)ARRAY_LEN(offsets));
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
