/* What a client has already, and whether it takes gzip. */
#include <string.h>
#include <zlib.h>

#include "base/attrs.h"
#include "http/cached.h"
#include "http/gzip.h"
#include "test_http.h"

#define ETAG "\"e3b0\""

static const struct {
	const char *if_none_match;
	bool has;
} none_match[] = {
	{ NULL, false },
	{ "", false },
	{ "*", true },
	{ ETAG, true },
	{ "W/" ETAG, true },
	{ "\"other\", " ETAG, true },
	{ "\"a,b\" ,\t W/" ETAG ", \"c\"", true },
	{ "\"other\"", false },
	{ "\"e3b\"", false },
	{ "\"e3b00\"", false },
	{ "e3b0", false },
	{ "\"other" ETAG, false },
	{ "*, " ETAG, false },
	{ "\"other\" junk, " ETAG, false },
};

START_TEST(a_tag_is_found_in_its_list)
{
	ck_assert_int_eq(
	    http_none_match_has(none_match[_i].if_none_match, ETAG), none_match[_i].has);
}
END_TEST

static const struct {
	const char *accept_encoding;
	bool takes;
} accepted[] = {
	{ NULL, false },
	{ "", false },
	{ "gzip", true },
	{ "GZip", true },
	{ "x-gzip", true },
	{ "gzip, deflate, br", true },
	{ "br;q=1.0, gzip;q=0.8, *;q=0.1", true },
	{ "gzip ; q=0.001", true },
	{ "gzip;q=1", true },
	{ "gzip;q=0", false },
	{ "gzip;q=0.0", false },
	{ "gzip; q=0.000, *", false },
	{ "br, gzip;Q=0", false },
	{ "*", true },
	{ "*;q=0", false },
	{ "identity", false },
	{ "deflate, br", false },
	{ "gzipped", false },
	{ "gzip;q=", false },
	{ "gzip;q=x", false },
	{ "gzip;level=9", false },
	{ "gzip;", false },
	{ ",, ,gzip", true },
};

START_TEST(gzip_is_taken_by_name_or_star_unless_with_zero)
{
	ck_assert_int_eq(http_accepts_gzip(accepted[_i].accept_encoding), accepted[_i].takes);
}
END_TEST

START_TEST(tags_are_of_bytes_and_coding)
{
	char a[HTTP_ETAG_SIZE], b[HTTP_ETAG_SIZE];

	/* SHA-256 of nothing */
	http_etag(bytes_of(NULL, 0), "", a);
	ck_assert_str_eq(a, "\"e3b0c44298fc1c149afbf4c8996fb924\"");
	http_etag(bytes_of(NULL, 0), "-gzip", b);
	ck_assert_str_eq(b, "\"e3b0c44298fc1c149afbf4c8996fb924-gzip\"");
	http_etag(BYTES_LITERAL("x"), "", b);
	ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(gzip_can_be_read_by_zlib)
{
	static char text[100000], back[sizeof(text)];
	z_stream z = { 0 };
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * i % 23);
	buf_append_char(&out, '!'); /* it is appended */
	http_gzip_append(&out, bytes_of(text, sizeof(text)));
	ck_assert_uint_lt(out.len, sizeof(text) / 10);
	ck_assert_int_eq(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = out.data + 1;
	z.avail_in = (uInt)out.len - 1;
	z.next_out = (Bytef *)back;
	z.avail_out = sizeof(back);
	ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
	ck_assert_uint_eq(z.total_out, sizeof(text));
	ck_assert_uint_eq(z.avail_in, 0);
	ck_assert_mem_eq(text, back, sizeof(text));
	(void)inflateEnd(&z);
	buf_finish(&out);
}
END_TEST

TCase *cached_case(void)
{
	TCase *tcase = tcase_create("cached");

	tcase_add_loop_test(tcase, a_tag_is_found_in_its_list, 0, (int)ARRAY_LEN(none_match));
	tcase_add_loop_test(
	    tcase, gzip_is_taken_by_name_or_star_unless_with_zero, 0, (int)ARRAY_LEN(accepted));
	tcase_add_test(tcase, tags_are_of_bytes_and_coding);
	tcase_add_test(tcase, gzip_can_be_read_by_zlib);
	return tcase;
}
