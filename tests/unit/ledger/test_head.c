/* A head is a line that says who signed it; changed anywhere, it is none. */
#include <stdio.h>
#include <string.h>

#include "ledger/head.h"
#include "support/support.h"

static struct ledger_key *new_key(const char *name)
{
	struct ledger_key *key = NULL;
	struct err err = ERR_INIT;
	char path[320];

	(void)snprintf(path, sizeof(path), "%s/%s", support_tmp_dir(), name);
	ck_assert_ok(ledger_key_make(path, &err), err);
	ck_assert_ok(ledger_key_read_private(path, &key, &err), err);
	return key;
}

static struct ledger_head sample(const struct ledger_key *key)
{
	struct ledger_head head = { .kind = LEDGER_ANCHOR,
		.shard = 3,
		.number = 12345,
		.at_us = INT64_C(1700000000000000),
		.hash = ledger_first(3) };

	ledger_head_sign(&head, key);
	return head;
}

START_TEST(a_line_is_read_as_it_was_written)
{
	struct ledger_key *key = new_key("line.pem");
	struct ledger_head head = sample(key), back;
	struct buf line = BUF_INIT;
	struct err err = ERR_INIT;

	ledger_head_append(&line, &head);
	ck_assert_ptr_nonnull(strstr(buf_str(&line), "walletwire-audit/1 anchor 3 12345 "));
	ck_assert_ok(ledger_head_parse(buf_bytes(&line), &back, &err), err);
	ck_assert_int_eq(back.kind, LEDGER_ANCHOR);
	ck_assert_int_eq(back.number, 12345);
	ck_assert(ledger_head_is_good(&back, key));
	buf_finish(&line);
	ledger_key_free(key);
}
END_TEST

START_TEST(no_byte_of_a_line_can_be_changed)
{
	struct ledger_key *key = new_key("change.pem");
	struct ledger_head head = sample(key), back;
	struct buf line = BUF_INIT;

	ledger_head_append(&line, &head);
	for (size_t i = 0; i < line.len; i++) {
		struct err err = ERR_INIT;

		line.data[i] ^= 1;
		ck_assert(ledger_head_parse(buf_bytes(&line), &back, &err) ||
			  !ledger_head_is_good(&back, key));
		line.data[i] ^= 1;
	}
	buf_finish(&line);
	ledger_key_free(key);
}
END_TEST

START_TEST(another_key_is_another_signer)
{
	struct ledger_key *key = new_key("one.pem"), *other = new_key("other.pem");
	struct ledger_head head = sample(key);

	ck_assert_str_ne(ledger_key_id(key), ledger_key_id(other));
	ck_assert(!ledger_head_is_good(&head, other));
	memcpy(head.key_id, ledger_key_id(other), sizeof(head.key_id));
	ck_assert(!ledger_head_is_good(&head, other));
	ledger_key_free(key);
	ledger_key_free(other);
}
END_TEST

START_TEST(what_is_no_line_is_refused)
{
	static const char *const lines[] = {
		"",
		"walletwire-audit/1",
		"walletwire-audit/1 head 0 1 00 1 0123456789abcdef 00",
		"walletwire-audit/1 head 0 1 00 1 0123456789abcdef 00 ",
		"walletwire-audit/1  head 0 1 00 1 0123456789abcdef",
	};
	char huge[LEDGER_HEAD_MAX + 2];
	struct ledger_head head;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		ck_assert_int_eq(
		    ledger_head_parse(bytes_of_str(lines[i]), &head, &err), STATUS_INVALID);
	memset(huge, 'x', sizeof(huge));
	ck_assert_int_eq(
	    ledger_head_parse(bytes_of(huge, sizeof(huge)), &head, &err), STATUS_INVALID);
	ck_assert_int_eq(ledger_head_parse(BYTES_LITERAL("walletwire-audit/1\0 head"), &head, &err),
	    STATUS_INVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger_head");
	TCase *tcase = tcase_create("head");

	tcase_add_test(tcase, a_line_is_read_as_it_was_written);
	tcase_add_test(tcase, no_byte_of_a_line_can_be_changed);
	tcase_add_test(tcase, another_key_is_another_signer);
	tcase_add_test(tcase, what_is_no_line_is_refused);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
