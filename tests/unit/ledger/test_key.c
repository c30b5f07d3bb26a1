/* A private key is for its owner alone; the public half signs nothing. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/key.h"
#include "support/support.h"

static char path[320], public_path[320];
static struct err err;

static void setup(void)
{
	(void)snprintf(path, sizeof(path), "%s/key-%d.pem", support_tmp_dir(), (int)getpid());
	(void)snprintf(
	    public_path, sizeof(public_path), "%s/public-%d.pem", support_tmp_dir(), (int)getpid());
	err = (struct err)ERR_INIT;
	ck_assert_ok(ledger_key_make(path, &err), err);
}

START_TEST(a_new_key_is_readable_to_its_owner_alone_and_made_once)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(ledger_key_make(path, &err), STATUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "File exists"));
}
END_TEST

START_TEST(a_key_that_others_may_use_is_refused)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0777 };
	struct ledger_key *key = NULL;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		ck_assert_int_eq(chmod(path, modes[i]), 0);
		ck_assert_int_eq(ledger_key_read_private(path, &key, &err), STATUS_INVALID);
		ck_assert_ptr_nonnull(strstr(err.msg, "chmod 600"));
	}
	ck_assert_int_eq(ledger_key_read_private("/dev/null", &key, &err), STATUS_INVALID);
	ck_assert_ptr_null(key);
}
END_TEST

/* As Kubernetes mounts a secret for a user who is not root. Only root can make it so. */
START_TEST(a_key_of_root_may_be_readable_to_the_group_of_who_reads_it)
{
	enum { NOBODY = 65534 };
	static const mode_t wrong[] = { 0660, 0444, 0450, 0644 };
	struct ledger_key *key = NULL;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chmod(support_tmp_dir(), 0711), 0);
	ck_assert_int_eq(chown(path, 0, NOBODY), 0);
	for (size_t i = 0; i <= ARRAY_LEN(wrong); i++) {
		ck_assert_int_eq(chmod(path, i < ARRAY_LEN(wrong) ? wrong[i] : 0440), 0);
		ck_assert_int_eq(setegid(NOBODY), 0);
		ck_assert_int_eq(seteuid(NOBODY), 0);
		if (i < ARRAY_LEN(wrong))
			ck_assert_int_eq(ledger_key_read_private(path, &key, &err), STATUS_INVALID);
		else
			ck_assert_ok(ledger_key_read_private(path, &key, &err), err);
		ck_assert_int_eq(seteuid(0), 0);
		ck_assert_int_eq(setegid(0), 0);
	}
	ledger_key_free(key);
	key = NULL;
	ck_assert_int_eq(chown(path, 1, NOBODY), 0);
	ck_assert_int_eq(ledger_key_read_private(path, &key, &err), STATUS_INVALID);
}
END_TEST

static enum status read_public(const char *from, struct ledger_key **ret_key)
{
	FILE *file = fopen(from, "re");
	enum status s = ledger_key_next_public(file, from, ret_key, &err);

	ck_assert_int_eq(fclose(file), 0);
	return s;
}

START_TEST(the_public_half_verifies_and_is_no_private_key)
{
	static const uint8_t other[LEDGER_SIGNATURE_LEN] = { 1 };
	struct ledger_key *key = NULL, *public = NULL;
	uint8_t signature[LEDGER_SIGNATURE_LEN];
	struct buf pem = BUF_INIT;
	FILE *file = fopen(public_path, "we");

	ck_assert_ok(ledger_key_read_private(path, &key, &err), err);
	ledger_key_append_public(&pem, key);
	ck_assert_uint_eq(fwrite(pem.data, 1, pem.len, file), pem.len);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_ok(read_public(public_path, &public), err);
	ck_assert_str_eq(ledger_key_id(key), ledger_key_id(public));
	ledger_sign(key, BYTES_LITERAL("word"), signature);
	ck_assert(ledger_is_signed(public, BYTES_LITERAL("word"), signature));
	ck_assert(!ledger_is_signed(public, BYTES_LITERAL("work"), signature));
	ck_assert(!ledger_is_signed(public, BYTES_LITERAL("word"), other));
	ledger_key_free(key);
	key = NULL;
	ck_assert_int_eq(chmod(public_path, 0600), 0);
	ck_assert_int_eq(ledger_key_read_private(public_path, &key, &err), STATUS_INVALID);
	ck_assert_int_eq(read_public(path, &key), STATUS_INVALID);
	ledger_key_free(public);
	buf_finish(&pem);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger_key");
	TCase *tcase = tcase_create("key");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, a_new_key_is_readable_to_its_owner_alone_and_made_once);
	tcase_add_test(tcase, a_key_that_others_may_use_is_refused);
	tcase_add_test(tcase, a_key_of_root_may_be_readable_to_the_group_of_who_reads_it);
	tcase_add_test(tcase, the_public_half_verifies_and_is_no_private_key);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
