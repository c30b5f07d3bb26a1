/* The key directory: what is loaded, what is refused and by which name, and what a reload does. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/xalloc.h"
#include "forge.h"
#include "support/support.h"
#include "token/keys.h"

static char *rsa_public, *rsa_private, *rsa_small, *ec_public, *ec_other_curve;
static char *dir;
static struct keyset *set;
static struct err err;

static char *public_pem_of(EVP_PKEY *key)
{
	char *pem = forge_public_pem(key);

	EVP_PKEY_free(key);
	return pem;
}

static void make_keys(void)
{
	EVP_PKEY *rsa = forge_rsa(2048);

	rsa_public = forge_public_pem(rsa);
	rsa_private = forge_private_pem(rsa);
	EVP_PKEY_free(rsa);
	rsa_small = public_pem_of(forge_rsa(1024));
	ec_public = public_pem_of(forge_ec("P-256"));
	ec_other_curve = public_pem_of(forge_ec("P-384"));
}

static void free_keys(void)
{
	free(rsa_public);
	free(rsa_private);
	free(rsa_small);
	free(ec_public);
	free(ec_other_curve);
}

static void setup(void)
{
	dir = forge_dir();
	set = NULL;
	err = (struct err)ERR_INIT;
}

static void teardown(void)
{
	keyset_unref(set);
	free(dir);
}

/* What token_verifier_reload() does with a set. */
static enum status reload(void)
{
	struct keyset *old = set, *now;
	enum status s;

	err = (struct err)ERR_INIT;
	s = keyset_load(dir, old, &now, &err);
	if (now) {
		keyset_unref(old);
		set = now;
	}
	return s;
}

static void assert_told(const char *words)
{
	ck_assert_msg(strstr(err.msg, words) != NULL, "\"%s\" is missing in: %s", words, err.msg);
}

START_TEST(three_kinds_of_keys_are_loaded_and_other_files_are_not)
{
	forge_text_file(dir, "b.hs256", FORGE_SECRET "\n");
	forge_text_file(dir, "a.rs256.pem", rsa_public);
	forge_text_file(dir, "c.with-dots_1.es256.pem", ec_public);
	forge_text_file(dir, "README.md", "nothing");
	forge_text_file(dir, "b.hs256~", "short");
	forge_text_file(dir, ".hidden.hs256", "short");
	forge_text_file(dir, "a.rs256.private.pem", rsa_private);
	ck_assert_ok(keyset_load(dir, NULL, &set, &err), err);
	ck_assert_uint_eq(set->len, 3);
	ck_assert_int_eq(keyset_find(set, "a")->alg, KEY_RS256);
	ck_assert_int_eq(keyset_find(set, "b")->alg, KEY_HS256);
	ck_assert_int_eq(keyset_find(set, "c.with-dots_1")->alg, KEY_ES256);
	ck_assert_ptr_null(keyset_find(set, ""));
	ck_assert_ptr_null(keyset_find(set, "d"));
}
END_TEST

static const struct secret_row {
	const char *content;
	size_t len;
	size_t secret_len; /* 0: refused */
} secret_rows[] = {
	{ FORGE_SECRET, 32, 32 },
	{ FORGE_SECRET "\n", 33, 32 },
	{ FORGE_SECRET "\r\n", 34, 32 },
	{ FORGE_SECRET "\n\n", 34, 33 },
	{ FORGE_SECRET "\r", 33, 33 },
	{ "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 32, 32 },
	{ "0123456789abcdef0123456789abcde\n", 32, 0 },
	{ "0123456789abcdef0123456789abcde\r\n", 33, 0 },
	{ "short", 5, 0 },
	{ "\n", 1, 0 },
	{ "", 0, 0 },
};

START_TEST(secret_has_at_least_32_bytes_without_its_line_break)
{
	const struct secret_row *row = &secret_rows[_i];

	forge_file(dir, "k1.hs256", row->content, row->len);
	if (row->secret_len) {
		ck_assert_ok(keyset_load(dir, NULL, &set, &err), err);
		ck_assert_uint_eq(set->keys[0]->secret_len, row->secret_len);
		ck_assert_mem_eq(set->keys[0]->secret, row->content, row->secret_len);
	} else {
		ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_INVALID);
		ck_assert_ptr_null(set);
		assert_told("k1.hs256");
	}
}
END_TEST

static const struct refused_row {
	const char *name;
	char **content;
	const char *why;
} refused_rows[] = {
	{ "k.rs256.pem", &ec_public, "not an RSA key" },
	{ "k.rs256.pem", &rsa_small, "2048" },
	{ "k.rs256.pem", &rsa_private, "not a public key" },
	{ "k.es256.pem", &rsa_public, "not an elliptic curve key" },
	{ "k.es256.pem", &ec_other_curve, "P-256" },
	{ "k.hs256", &rsa_public, "PEM file, not a secret" },
	{ "k y.rs256.pem", &rsa_public, "kid" },
	{ "k\xc3\xa9.rs256.pem", &rsa_public, "kid" },
	{ "01234567890123456789012345678901234567890123456789012345678901234.rs256.pem",
	    &rsa_public, "kid" },
};

START_TEST(unusable_file_is_refused_by_its_name)
{
	const struct refused_row *row = &refused_rows[_i];

	forge_text_file(dir, "good.hs256", FORGE_SECRET);
	forge_text_file(dir, row->name, *row->content);
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_INVALID);
	assert_told(row->name);
	assert_told(row->why);
}
END_TEST

START_TEST(damaged_pem_is_refused)
{
	char *cut = xstrdup(rsa_public);

	cut[strlen(cut) / 2] = '\0';
	forge_text_file(dir, "k.rs256.pem", cut);
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_INVALID);
	forge_text_file(dir, "k.rs256.pem", "");
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_INVALID);
	forge_text_file(
	    dir, "k.rs256.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_INVALID);
	free(cut);
}
END_TEST

START_TEST(only_files_of_bounded_size_are_read)
{
	char *path = xasprintf("%s/k.hs256", dir);
	char *big = calloc(1, 16 * 1024 + 1);

	forge_file(dir, "k.hs256", big, 16 * 1024 + 1);
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_INVALID);
	assert_told("16 KiB");
	forge_remove(dir, "k.hs256");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_INVALID);
	assert_told("not a file");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_INVALID);
	free(path);
	free(big);
}
END_TEST

START_TEST(kid_with_two_algorithms_is_refused)
{
	forge_text_file(dir, "k.hs256", FORGE_SECRET);
	forge_text_file(dir, "k.rs256.pem", rsa_public);
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_INVALID);
	assert_told("two keys are named k");
}
END_TEST

START_TEST(directory_without_keys_or_missing_is_refused)
{
	forge_text_file(dir, "README", "nothing");
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_NOT_FOUND);
	assert_told(dir);
	ck_assert_int_eq(keyset_load("/nonexistent", NULL, &set, &err), STATUS_NOT_FOUND);
	assert_told("/nonexistent");
	ck_assert_ptr_null(set);
}
END_TEST

START_TEST(too_many_keys_are_refused)
{
	for (int i = 0; i <= KEYS_MAX; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "k%d.hs256", i);
		forge_text_file(dir, name, FORGE_SECRET);
	}
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_TOO_LARGE);
	forge_remove(dir, "k0.hs256");
	ck_assert_ok(keyset_load(dir, NULL, &set, &err), err);
	ck_assert_uint_eq(set->len, KEYS_MAX);
	for (int i = 1; i <= KEYS_MAX; i++) {
		char kid[32];

		(void)snprintf(kid, sizeof(kid), "k%d", i);
		ck_assert_str_eq(keyset_find(set, kid)->kid, kid);
	}
}
END_TEST

START_TEST(reload_shares_unchanged_keys_and_takes_new_ones)
{
	struct key *before;

	forge_text_file(dir, "a.rs256.pem", rsa_public);
	ck_assert_ok(reload(), err);
	before = keyset_find(set, "a");
	forge_text_file(dir, "b.hs256", FORGE_SECRET);
	ck_assert_ok(reload(), err);
	ck_assert_ptr_eq(keyset_find(set, "a"), before);
	ck_assert_ptr_nonnull(keyset_find(set, "b"));
}
END_TEST

START_TEST(reload_sees_a_change_that_no_time_or_size_shows)
{
	struct key *before;
	struct stat st;
	char *path = xasprintf("%s/k.hs256", dir);
	int fd;

	forge_text_file(dir, "k.hs256", FORGE_SECRET);
	ck_assert_ok(reload(), err);
	before = keyset_find(set, "k");
	ck_assert_int_eq(stat(path, &st), 0);
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(write(fd, "X", 1), 1);
	ck_assert_int_eq(futimens(fd, (struct timespec[]){ st.st_atim, st.st_mtim }), 0);
	(void)close(fd);
	ck_assert_ok(reload(), err);
	ck_assert_ptr_ne(keyset_find(set, "k"), before);
	ck_assert_int_eq(keyset_find(set, "k")->secret[0], 'X');
	free(path);
}
END_TEST

START_TEST(removed_key_goes_even_if_another_file_is_bad)
{
	forge_text_file(dir, "a.hs256", FORGE_SECRET);
	forge_text_file(dir, "b.hs256", FORGE_SECRET);
	ck_assert_ok(reload(), err);
	forge_remove(dir, "a.hs256");
	forge_text_file(dir, "b.hs256", "short");
	forge_text_file(dir, "c.hs256", FORGE_SECRET);
	ck_assert_int_eq(reload(), STATUS_INVALID);
	assert_told("b.hs256");
	ck_assert_ptr_null(keyset_find(set, "a"));
	ck_assert_ptr_nonnull(keyset_find(set, "b")); /* as it was */
	ck_assert_ptr_nonnull(keyset_find(set, "c"));
	ck_assert_int_eq(reload(), STATUS_INVALID); /* told as long as it is so */
	forge_text_file(dir, "b.hs256", FORGE_SECRET);
	ck_assert_ok(reload(), err);
	ck_assert_uint_eq(set->len, 2);
}
END_TEST

START_TEST(key_that_is_renamed_to_another_algorithm_is_judged_anew)
{
	forge_text_file(dir, "k.rs256.pem", rsa_public);
	ck_assert_ok(reload(), err);
	forge_remove(dir, "k.rs256.pem");
	forge_text_file(dir, "k.es256.pem", rsa_public);
	ck_assert_int_eq(reload(), STATUS_INVALID);
	assert_told("not an elliptic curve key");
	ck_assert_uint_eq(set->len, 0);
}
END_TEST

START_TEST(link_to_nothing_is_refused_at_start_and_a_withdrawal_later)
{
	char *path = xasprintf("%s/k.hs256", dir);

	ck_assert_int_eq(symlink("/nonexistent/key", path), 0);
	ck_assert_int_eq(keyset_load(dir, NULL, &set, &err), STATUS_NOT_FOUND);
	assert_told("k.hs256");
	forge_text_file(dir, "k.hs256", FORGE_SECRET);
	ck_assert_ok(reload(), err);
	forge_remove(dir, "k.hs256");
	ck_assert_int_eq(symlink("/nonexistent/key", path), 0);
	ck_assert_ok(reload(), err);
	ck_assert_uint_eq(set->len, 0);
	free(path);
}
END_TEST

START_TEST(second_algorithm_for_a_kid_leaves_the_old_key)
{
	forge_text_file(dir, "k.hs256", FORGE_SECRET);
	ck_assert_ok(reload(), err);
	forge_text_file(dir, "k.rs256.pem", rsa_public);
	forge_text_file(dir, "n.hs256", FORGE_SECRET);
	forge_text_file(dir, "n.es256.pem", ec_public);
	ck_assert_int_eq(reload(), STATUS_INVALID);
	ck_assert_uint_eq(set->len, 1);
	ck_assert_int_eq(keyset_find(set, "k")->alg, KEY_HS256);
	forge_remove(dir, "k.hs256");
	forge_remove(dir, "n.hs256");
	ck_assert_ok(reload(), err);
	ck_assert_int_eq(keyset_find(set, "k")->alg, KEY_RS256);
	ck_assert_int_eq(keyset_find(set, "n")->alg, KEY_ES256);
}
END_TEST

START_TEST(emptied_directory_leaves_no_key_and_a_missing_one_all)
{
	struct keyset *before;
	char *away = xasprintf("%s.away", dir);

	forge_text_file(dir, "k.hs256", FORGE_SECRET);
	ck_assert_ok(reload(), err);
	before = set;
	ck_assert_int_eq(rename(dir, away), 0);
	ck_assert_int_eq(reload(), STATUS_NOT_FOUND);
	ck_assert_ptr_eq(set, before);
	ck_assert_int_eq(rename(away, dir), 0);
	forge_remove(dir, "k.hs256");
	ck_assert_ok(reload(), err);
	ck_assert_uint_eq(set->len, 0);
	free(away);
}
END_TEST

START_TEST(kids_are_plain_names)
{
	ck_assert(key_kid_is_valid("k1"));
	ck_assert(key_kid_is_valid("A-Z_a.z-09"));
	ck_assert(
	    key_kid_is_valid("0123456789012345678901234567890123456789012345678901234567890123"));
	ck_assert(
	    !key_kid_is_valid("01234567890123456789012345678901234567890123456789012345678901234"));
	ck_assert(!key_kid_is_valid(""));
	ck_assert(!key_kid_is_valid("."));
	ck_assert(!key_kid_is_valid("../k1"));
	ck_assert(!key_kid_is_valid("a/b"));
	ck_assert(!key_kid_is_valid("a b"));
	ck_assert(!key_kid_is_valid("a\n"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keys");
	TCase *tcase = tcase_create("directory");
	int exit_code;

	(void)support_tmp_dir();
	make_keys();
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, three_kinds_of_keys_are_loaded_and_other_files_are_not);
	tcase_add_loop_test(tcase, secret_has_at_least_32_bytes_without_its_line_break, 0,
	    (int)ARRAY_LEN(secret_rows));
	tcase_add_loop_test(
	    tcase, unusable_file_is_refused_by_its_name, 0, (int)ARRAY_LEN(refused_rows));
	tcase_add_test(tcase, damaged_pem_is_refused);
	tcase_add_test(tcase, only_files_of_bounded_size_are_read);
	tcase_add_test(tcase, kid_with_two_algorithms_is_refused);
	tcase_add_test(tcase, directory_without_keys_or_missing_is_refused);
	tcase_add_test(tcase, too_many_keys_are_refused);
	tcase_add_test(tcase, reload_shares_unchanged_keys_and_takes_new_ones);
	tcase_add_test(tcase, reload_sees_a_change_that_no_time_or_size_shows);
	tcase_add_test(tcase, removed_key_goes_even_if_another_file_is_bad);
	tcase_add_test(tcase, key_that_is_renamed_to_another_algorithm_is_judged_anew);
	tcase_add_test(tcase, link_to_nothing_is_refused_at_start_and_a_withdrawal_later);
	tcase_add_test(tcase, second_algorithm_for_a_kid_leaves_the_old_key);
	tcase_add_test(tcase, emptied_directory_leaves_no_key_and_a_missing_one_all);
	tcase_add_test(tcase, kids_are_plain_names);
	suite_add_tcase(suite, tcase);
	exit_code = support_run(suite);
	free_keys();
	return exit_code;
}
