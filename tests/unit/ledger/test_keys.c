/* Keys that followed each other, and who of them signed a head. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ledger/keys.h"
#include "support/support.h"

enum { KEYS = 3 };

static char bundle[320];
static struct ledger_key *signers[KEYS];
static struct ledger_keys *keys;
static struct err err;

static void append(const char *text, size_t len)
{
	FILE *file = fopen(bundle, "ae");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
}

static void append_public(const struct ledger_key *key)
{
	struct buf pem = BUF_INIT;

	ledger_key_append_public(&pem, key);
	append((const char *)pem.data, pem.len);
	buf_finish(&pem);
}

static void setup(void)
{
	err = (struct err)ERR_INIT;
	(void)snprintf(bundle, sizeof(bundle), "%s/bundle-%d", support_tmp_dir(), (int)getpid());
	for (int i = 0; i < KEYS; i++) {
		char path[340];

		(void)snprintf(path, sizeof(path), "%s-%d.pem", bundle, i);
		ck_assert_ok(ledger_key_make(path, &err), err);
		ck_assert_ok(ledger_key_read_private(path, &signers[i], &err), err);
	}
	keys = ledger_keys_new();
}

static void teardown(void)
{
	for (int i = 0; i < KEYS; i++)
		ledger_key_free(signers[i]);
	ledger_keys_free(keys);
}

START_TEST(keys_keep_the_order_of_their_file_and_know_what_each_has_signed)
{
	struct ledger_head head = { .shard = 1, .number = 7 };
	size_t place = KEYS;

	for (int i = 0; i < KEYS; i++)
		append_public(signers[i]);
	append_public(signers[0]);
	append("\n", 1);
	ck_assert_ok(ledger_keys_read(keys, bundle, &err), err);
	ck_assert_ok(ledger_keys_read(keys, bundle, &err), err);
	for (size_t i = 0; i < KEYS; i++) {
		ledger_head_sign(&head, signers[i]);
		ck_assert_int_eq(ledger_keys_judge(keys, &head, &place), LEDGER_SIGNED);
		ck_assert_uint_eq(place, i);
	}
	/* By its owner's name, of something else. */
	head.number++;
	ck_assert_int_eq(ledger_keys_judge(keys, &head, &place), LEDGER_FORGED);
}
END_TEST

START_TEST(head_of_a_key_that_is_not_there_is_a_stranger_s)
{
	struct ledger_head head = { .number = 7 };
	size_t place;

	append_public(signers[0]);
	ck_assert_ok(ledger_keys_read(keys, bundle, &err), err);
	ledger_head_sign(&head, signers[1]);
	ck_assert_int_eq(ledger_keys_judge(keys, &head, &place), LEDGER_STRANGER);
}
END_TEST

static const char *const bad[] = {
	"",
	"words\n",
	"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
	"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	"-----BEGIN PUBLIC KEY-----\n",
};

START_TEST(file_without_keys_is_refused)
{
	append(bad[_i], strlen(bad[_i]));
	ck_assert_int_eq(ledger_keys_read(keys, bundle, &err), STATUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, bundle));
}
END_TEST

START_TEST(key_that_is_cut_off_behind_a_good_one_is_refused)
{
	append_public(signers[0]);
	append(bad[4], strlen(bad[4]));
	ck_assert_int_eq(ledger_keys_read(keys, bundle, &err), STATUS_INVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger_keys");
	TCase *tcase = tcase_create("keys");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, keys_keep_the_order_of_their_file_and_know_what_each_has_signed);
	tcase_add_test(tcase, head_of_a_key_that_is_not_there_is_a_stranger_s);
	tcase_add_loop_test(tcase, file_without_keys_is_refused, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(tcase, key_that_is_cut_off_behind_a_good_one_is_refused);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
