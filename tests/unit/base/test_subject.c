/* subject: an id becomes one token, and no two ids the same one. */
#include <string.h>

#include "base/subject.h"
#include "support/support.h"

static const char *encoded(struct bytes id)
{
	static char token[SUBJECT_TOKEN_SIZE];
	struct err err = ERR_INIT;

	ck_assert_ok(subject_encode(id, token, &err), err);
	return token;
}

START_TEST(ids_are_encoded_as_written_in_the_design)
{
	static const struct {
		const char *id, *token;
	} cases[] = {
		{ "alice", "alice" },
		{ "A-z_09", "A-z_09" },
		{ "a.b", "a=2Eb" },
		{ "*", "=2A" },
		{ ">", "=3E" },
		{ "a b", "a=20b" },
		{ "a=b", "a=3Db" },
		{ "x 0\r\n\r\nPUB y 1", "x=200=0D=0A=0D=0APUB=20y=201" },
		{ "\xc3\xa4", "=C3=A4" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_str_eq(encoded(bytes_of_str(cases[i].id)), cases[i].token);
}
END_TEST

static bool comes_back(struct bytes id)
{
	char token[SUBJECT_TOKEN_SIZE], out[SUBJECT_ID_MAX + 1];
	size_t len;

	return subject_encode(id, token, NULL) == STATUS_OK &&
	       strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-=") ==
		   strlen(token) &&
	       subject_decode(bytes_of_str(token), out, &len, NULL) == STATUS_OK &&
	       bytes_equal(bytes_of(out, len), id);
}

/* What decodes to itself shares its token with nothing else. */
START_TEST(every_byte_and_pair_of_bytes_comes_back)
{
	for (unsigned a = 0; a < 256; a++) {
		uint8_t id[2] = { (uint8_t)a };
		unsigned good = comes_back(bytes_of(id, 1));

		for (unsigned b = 0; b < 256; b++) {
			id[1] = (uint8_t)b;
			good += comes_back(bytes_of(id, 2));
		}
		ck_assert_uint_eq(good, 257);
	}
}
END_TEST

START_TEST(an_id_has_1_to_128_bytes)
{
	uint8_t id[SUBJECT_ID_MAX + 1];
	char token[SUBJECT_TOKEN_SIZE], out[SUBJECT_ID_MAX + 1];
	size_t len;

	memset(id, '.', sizeof(id));
	ck_assert_int_eq(subject_encode(bytes_of(id, 0), token, NULL), STATUS_INVALID);
	ck_assert_int_eq(subject_encode(bytes_of(id, 129), token, NULL), STATUS_INVALID);
	ck_assert_int_eq(subject_encode(bytes_of(id, 128), token, NULL), STATUS_OK);
	ck_assert_uint_eq(strlen(token), 384);
	ck_assert_int_eq(subject_decode(bytes_of_str(token), out, &len, NULL), STATUS_OK);
	ck_assert_uint_eq(len, 128);
}
END_TEST

START_TEST(an_id_that_can_not_be_encoded_is_named_by_its_field)
{
	char longest[SUBJECT_ID_MAX + 2] = "";
	struct err err = ERR_INIT;

	memset(longest, 'a', SUBJECT_ID_MAX);
	ck_assert_ok(subject_check_id("userId", longest, &err), err);
	ck_assert_int_eq(subject_check_id("userId", "", &err), STATUS_INVALID);
	ck_assert_str_eq(err.field, "userId");
	longest[SUBJECT_ID_MAX] = 'a';
	ck_assert_int_eq(subject_check_id("userId", longest, &err), STATUS_INVALID);
}
END_TEST

START_TEST(what_encoding_cannot_produce_is_refused)
{
	static const char *const cases[] = { "", ".", "a.b", "=", "=2", "a=", "a=4", "=2e", "=41",
		"=5F", "=GG", "=-1", "a b", "\xc3\xa4", "*", ">" };
	char longest[SUBJECT_ID_MAX + 2] = { 0 };
	char out[SUBJECT_ID_MAX + 1];
	size_t len;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(
		    subject_decode(bytes_of_str(cases[i]), out, &len, NULL) == STATUS_INVALID,
		    "%s was taken", cases[i]);
	memset(longest, 'a', SUBJECT_ID_MAX + 1);
	ck_assert_int_eq(subject_decode(bytes_of_str(longest), out, &len, NULL), STATUS_INVALID);
}
END_TEST

START_TEST(a_subject_holds_one_encoded_id)
{
	char subject[SUBJECT_SIZE];
	struct err err = ERR_INIT;

	ck_assert_ok(subject_with_id("ww.rt.user.", "a.b", subject, &err), err);
	ck_assert_str_eq(subject, "ww.rt.user.a=2Eb");
	ck_assert_int_eq(subject_with_id("ww.rt.user.", "", subject, &err), STATUS_INVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("subject");
	TCase *tcase = tcase_create("subject");

	tcase_add_test(tcase, ids_are_encoded_as_written_in_the_design);
	tcase_add_test(tcase, every_byte_and_pair_of_bytes_comes_back);
	tcase_add_test(tcase, an_id_has_1_to_128_bytes);
	tcase_add_test(tcase, an_id_that_can_not_be_encoded_is_named_by_its_field);
	tcase_add_test(tcase, what_encoding_cannot_produce_is_refused);
	tcase_add_test(tcase, a_subject_holds_one_encoded_id);
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
