/* The claims of a token from the command line. */
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "claims.h"
#include "codec/json.h"
#include "support/support.h"

static struct json *claims_of(struct claims_request *request)
{
	struct buf out = BUF_INIT;
	struct json *root = NULL;
	struct err err = ERR_INIT;

	request->now_s = 1000;
	request->ttl_s = 60;
	ck_assert_ok(claims_append(&out, request, &err), err);
	ck_assert_ok(json_parse(buf_bytes(&out), &root, &err), err);
	buf_finish(&out);
	return root;
}

static bool is_text(const struct json *root, const char *name, const char *text)
{
	return bytes_equal_str(json_text(json_get(root, name)), text);
}

static int64_t number(const struct json *root, const char *name)
{
	int64_t n = -1;

	(void)json_int(json_get(root, name), &n);
	return n;
}

START_TEST(a_token_has_subject_id_and_times)
{
	struct claims_request request = { .user = "al \"ice", .issuer = "bank", .audience = "" };
	struct json *root = claims_of(&request);

	ck_assert(is_text(root, "sub", "al \"ice"));
	ck_assert_uint_eq(json_text(json_get(root, "jti")).len, 20);
	ck_assert_int_eq(number(root, "iat"), 1000);
	ck_assert_int_eq(number(root, "exp"), 1060);
	ck_assert(is_text(root, "iss", "bank"));
	ck_assert_ptr_null(json_get(root, "aud"));
	json_free(root);
}
END_TEST

START_TEST(extra_claims_add_and_replace)
{
	struct claims_request request = { .user = "alice",
		.extra = {
		    { "role=ops", "exp=5", "jti=j1", "nbf=-3", "x=", "iat=0", "sub=bob" }, 7 } };
	struct json *root = claims_of(&request);

	ck_assert(is_text(root, "role", "ops"));
	ck_assert_int_eq(number(root, "exp"), 5);
	ck_assert_int_eq(number(root, "nbf"), -3);
	ck_assert(is_text(root, "jti", "j1"));
	ck_assert(is_text(root, "sub", "bob"));
	ck_assert(json_is_string(json_get(root, "x")));
	json_free(root);
}
END_TEST

static const struct option_list bad_claims[] = {
	{ { "role" }, 1 },
	{ { "=ops" }, 1 },
	{ { "exp=soon" }, 1 },
	{ { "exp=" }, 1 },
	{ { "role=a", "role=b" }, 2 },
	{ { "role=\xff" }, 1 },
};

START_TEST(a_bad_claim_is_named)
{
	struct claims_request request = { .user = "alice", .extra = bad_claims[_i] };
	struct buf out = BUF_INIT;
	struct err err = ERR_INIT;

	ck_assert_int_eq(claims_append(&out, &request, &err), STATUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.msg, "--claim"));
	buf_finish(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli/claims");
	TCase *tcase = tcase_create("claims");

	tcase_add_test(tcase, a_token_has_subject_id_and_times);
	tcase_add_test(tcase, extra_claims_add_and_replace);
	tcase_add_loop_test(tcase, a_bad_claim_is_named, 0, ARRAY_LEN(bad_claims));
	suite_add_tcase(suite, tcase);
	return support_run(suite);
}
