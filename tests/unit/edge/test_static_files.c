/* What becomes of a folder: which paths it has, and what it may not hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attrs.h"
#include "static_files.h"
#include "support/support.h"

enum { BODY_PATH = 512 };

static char folder[BODY_PATH];
static struct static_files *files;
static struct err err;

static const char *at(const char *path)
{
	static char full[2 * BODY_PATH];

	(void)snprintf(full, sizeof(full), "%s%s", folder, path);
	return full;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(at(path), "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* Of so many bytes that take no space. */
static void put_large(const char *path, off_t size)
{
	put(path, "");
	ck_assert_int_eq(truncate(at(path), size), 0);
}

static void put_folder(const char *path)
{
	ck_assert_int_eq(mkdir(at(path), 0755), 0);
}

static void put_link(const char *path, const char *target)
{
	ck_assert_int_eq(symlink(target, at(path)), 0);
}

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "%s/public", support_tmp_dir());
	put_folder("");
	err = (struct err)ERR_INIT;
}

static void teardown(void)
{
	static_files_free(files);
	files = NULL;
}

static void read_all(void)
{
	ck_assert_ok(static_files_read(folder, &files, &err), err);
}

/* Refused, and the message says which file or which limit. */
static void refused(const char *words)
{
	ck_assert_int_eq(static_files_read(folder, &files, &err), STATUS_INVALID);
	ck_assert_str_eq(err.field, "static-dir");
	ck_assert_msg(strstr(err.msg, words), "\"%s\" is not in: %s", words, err.msg);
}

static void serves(const char *path, const char *text)
{
	const struct static_file *file = static_files_find(files, path);

	ck_assert_msg(file, "%s is not served", path);
	ck_assert_uint_eq(file->body.data.len, strlen(text));
	ck_assert_mem_eq(file->body.data.data, text, strlen(text));
}

static void is_absent(const char *path)
{
	ck_assert_msg(!static_files_find(files, path), "%s is served", path);
}

START_TEST(pages_are_found_without_their_extension)
{
	put("/index.html", "start");
	put("/bank.html", "bank");
	put("/ops.html", "ops");
	put("/ops", "a file of that name");
	put_folder("/deep");
	put("/deep/page.html", "deep");
	read_all();
	serves("/", "start");
	serves("/index.html", "start");
	serves("/index", "start");
	serves("/bank", "bank");
	serves("/bank.html", "bank");
	serves("/ops", "a file of that name");
	serves("/ops.html", "ops");
	serves("/deep/page", "deep");
	is_absent("/deep/");
	is_absent("/deep");
	ck_assert_uint_eq(static_files_count(files), 5);
}
END_TEST

START_TEST(paths_are_compared_byte_by_byte)
{
	static const char *const others[] = { "", "//", "/.", "/..", "/Index.html", "/index.html/",
		"//index.html", "/./index.html", "/%69ndex.html", "/index.html%00", "/../public",
		"/index.htm", "/index.html?", "/..%2findex.html", "index.html" };

	put("/index.html", "start");
	read_all();
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		is_absent(others[i]);
}
END_TEST

START_TEST(an_empty_folder_has_nothing)
{
	read_all();
	is_absent("/");
	ck_assert_uint_eq(static_files_count(files), 0);
}
END_TEST

START_TEST(names_with_a_dot_in_front_are_left_out)
{
	put("/.env", "secret");
	put_folder("/.git");
	put("/.git/config", "secret");
	put("/a.txt", "a");
	read_all();
	serves("/a.txt", "a");
	is_absent("/.env");
	is_absent("/.git/config");
	ck_assert_uint_eq(static_files_count(files), 1);
}
END_TEST

static const struct {
	const char *path, *type;
	bool is_immutable;
} kinds[] = {
	{ "/a.html", "text/html; charset=utf-8", false },
	{ "/a.svg", "image/svg+xml", false },
	{ "/a.thing", "application/octet-stream", false },
	{ "/a", "application/octet-stream", false },
	{ "/main-Bx3k9aZ1.js", "text/javascript; charset=utf-8", false }, /* not in assets */
	{ "/assets/main-Bx3k9aZ1.js", "text/javascript; charset=utf-8", true },
	{ "/assets/main-B-3k9_Z1.js", "text/javascript; charset=utf-8", true },
	{ "/assets/main.3f2a1b4c5d6e.css", "text/css; charset=utf-8", true },
	{ "/assets/main.js", "text/javascript; charset=utf-8", false },
	{ "/assets/main-short1.js", "text/javascript; charset=utf-8", false },
	{ "/assets/main-something.js", "text/javascript; charset=utf-8", false },
	{ "/assets/noextension", "application/octet-stream", false },
};

START_TEST(type_and_caching_are_told_by_the_name)
{
	const struct static_file *file;

	put_folder("/assets");
	put(kinds[_i].path, "x");
	read_all();
	file = static_files_find(files, kinds[_i].path);
	ck_assert_ptr_nonnull(file);
	ck_assert_str_eq(file->type, kinds[_i].type);
	ck_assert_int_eq(file->is_immutable, kinds[_i].is_immutable);
}
END_TEST

START_TEST(gzip_is_kept_where_it_is_smaller)
{
	char text[5000];
	const struct static_file *file;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	put("/long.txt", text);
	put("/long.png", text); /* a picture is compressed already */
	put("/short.txt", "short");
	read_all();
	file = static_files_find(files, "/long.txt");
	ck_assert(file->gzip.data.len > 0 && file->gzip.data.len < 100);
	ck_assert_str_ne(file->gzip.etag, file->body.etag);
	ck_assert_uint_eq(static_files_find(files, "/short.txt")->gzip.data.len, 0);
	ck_assert_uint_eq(static_files_find(files, "/long.png")->gzip.data.len, 0);
	ck_assert_uint_eq(static_files_bytes(files), 4999 * 2 + 5 + file->gzip.data.len);
}
END_TEST

START_TEST(links_within_the_folder_are_followed)
{
	/* as Kubernetes mounts a ConfigMap */
	put_folder("/..2026");
	put("/..2026/index.html", "mounted");
	put_link("/..data", "..2026");
	put_link("/index.html", "..data/index.html");
	read_all();
	serves("/", "mounted");
	is_absent("/..data/index.html");
}
END_TEST

START_TEST(links_that_lead_out_are_refused)
{
	static const char *const targets[] = { "/etc/passwd", "../outside", "..", "/", "nowhere",
		"self", "../public2/file" };

	(void)snprintf(folder, sizeof(folder), "%s/public2", support_tmp_dir());
	put_folder("");
	put("/file", "a folder beside it, whose name begins alike");
	(void)snprintf(folder, sizeof(folder), "%s/outside", support_tmp_dir());
	put("", "outside");
	(void)snprintf(folder, sizeof(folder), "%s/public", support_tmp_dir());
	put_link("/self", targets[_i]);
	refused("/self: is a link that leads out of the folder, or nowhere");
}
END_TEST

START_TEST(more_bytes_than_the_limit_are_refused_before_they_are_read)
{
	put_large("/half.png", STATIC_BYTES_MAX / 2);
	put_large("/other.png", STATIC_BYTES_MAX / 2);
	read_all();
	teardown();
	put("/one.png", "1");
	refused("more than the 8388608 bytes");
	ck_assert_int_eq(remove(at("/one.png")), 0);
	put_large("/huge.png", (off_t)1 << 40);
	refused("more than the 8388608 bytes");
}
END_TEST

START_TEST(more_files_than_the_limit_are_refused)
{
	char path[32];

	for (int i = 0; i < STATIC_FILES_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/%d.png", i);
		put(path, "");
	}
	read_all();
	ck_assert_uint_eq(static_files_count(files), STATIC_FILES_MAX);
	teardown();
	put_folder("/one-more");
	refused("more than the 512 files and folders");
}
END_TEST

START_TEST(folders_without_end_are_refused)
{
	put_folder("/a");
	put_link("/a/again", "../a");
	refused("more than 8 folders deep");
}
END_TEST

START_TEST(what_could_not_be_asked_for_is_refused)
{
	put("/two words.html", "x");
	refused("/two words.html: only letters, digits and ._~- may be in a name");
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	ck_assert_int_eq(mkfifo(at("/pipe"), 0644), 0);
	refused("/pipe: is neither a file nor a folder");
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_refused)
{
	(void)snprintf(folder, sizeof(folder), "%s/nothing", support_tmp_dir());
	refused("/nothing: No such file or directory");
	(void)snprintf(folder, sizeof(folder), "%s/public", support_tmp_dir());
	put("/file", "x");
	(void)snprintf(folder, sizeof(folder), "%s/public/file", support_tmp_dir());
	refused("/public/file: Not a directory");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("static_files");
	TCase *table = tcase_create("table"), *limits = tcase_create("limits");

	tcase_add_checked_fixture(table, setup, teardown);
	tcase_add_test(table, pages_are_found_without_their_extension);
	tcase_add_test(table, paths_are_compared_byte_by_byte);
	tcase_add_test(table, an_empty_folder_has_nothing);
	tcase_add_test(table, names_with_a_dot_in_front_are_left_out);
	tcase_add_loop_test(table, type_and_caching_are_told_by_the_name, 0, (int)ARRAY_LEN(kinds));
	tcase_add_test(table, gzip_is_kept_where_it_is_smaller);
	tcase_add_test(table, links_within_the_folder_are_followed);
	suite_add_tcase(suite, table);

	tcase_add_checked_fixture(limits, setup, teardown);
	tcase_add_loop_test(limits, links_that_lead_out_are_refused, 0, 7);
	tcase_add_test(limits, more_bytes_than_the_limit_are_refused_before_they_are_read);
	tcase_add_test(limits, more_files_than_the_limit_are_refused);
	tcase_add_test(limits, folders_without_end_are_refused);
	tcase_add_test(limits, what_could_not_be_asked_for_is_refused);
	tcase_add_test(limits, what_is_no_file_is_refused);
	tcase_add_test(limits, a_folder_that_is_not_there_is_refused);
	suite_add_tcase(suite, limits);
	return support_run(suite);
}
