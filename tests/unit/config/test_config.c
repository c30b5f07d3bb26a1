/* Settings from flags, environment, files and defaults; and what people are told about mistakes. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "support/support.h"

struct sample {
	char *url, *name, *password, *pin;
	int64_t workers, wait_ms, bytes, any;
	bool verbose;
};

static const struct setting shared[] = {
	SETTING(struct sample, url, "nats-url", SETTING_TEXT, "nats://127.0.0.1:4222", 0, 0,
	    "Where the server listens."),
	SETTING(struct sample, password, "db-password", SETTING_SECRET, "", 0, 0,
	    "Password of the database."),
	SETTING(struct sample, workers, "workers", SETTING_INT, "4", 1, 64,
	    "Threads that serve requests."),
};

static const struct setting own[] = {
	SETTING(struct sample, wait_ms, "wait", SETTING_DURATION, "5s", 10, 3600000,
	    "How long to wait."),
	SETTING(struct sample, bytes, "packet-max", SETTING_SIZE, "64KiB", 1, INT64_C(1) << 30,
	    "Largest packet that is taken; a sentence long enough that it can't stand on one line "
	    "of help."),
	SETTING(
	    struct sample, any, "any-number", SETTING_INT, "0", 0, 0, "Any number | with a bar."),
	SETTING(struct sample, verbose, "verbose", SETTING_BOOL, "false", 0, 0, "Say more."),
	SETTING(struct sample, name, "name", SETTING_TEXT, "", 0, 0, "A name."),
};

static const struct setting demanding[] = {
	SETTING(struct sample, name, "name", SETTING_TEXT, NULL, 0, 0, "A name."),
	SETTING(struct sample, pin, "pin", SETTING_SECRET, NULL, 0, 0, "A PIN."),
	SETTING(struct sample, workers, "workers", SETTING_INT, "4", 1, 64, "Threads."),
};

static const struct setting *const tables[] = { shared, own, NULL };
static const size_t table_lens[] = { ARRAY_LEN(shared), ARRAY_LEN(own) };
static const struct config_spec spec = { "ww-sample", "Serves as an example.", tables, table_lens };

static const struct setting *const demanding_tables[] = { demanding, NULL };
static const size_t demanding_lens[] = { ARRAY_LEN(demanding) };
static const struct config_spec demanding_spec = { "ww-demanding", "Wants a lot.", demanding_tables,
	demanding_lens };

static struct sample cfg;
static char out[16384], complaints[16384];

static int redirect(int fd, const char *path)
{
	int saved = dup(fd);
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(dup2(file, fd), fd);
	(void)close(file);
	return saved;
}

static void restore(int fd, int saved, const char *path, char *ret_text, size_t size)
{
	int file = open(path, O_RDONLY);
	ssize_t got = read(file, ret_text, size - 1);

	ck_assert_int_ge(got, 0);
	ret_text[got] = '\0';
	(void)close(file);
	(void)dup2(saved, fd);
	(void)close(saved);
}

/* Loads with up to eight arguments; what was printed is in `out` and `complaints`. */
static enum config_outcome load(const struct config_spec *of, const char *const *args)
{
	char program[] = "program";
	char *argv[10] = { program };
	char out_path[300], err_path[300];
	int argc = 1, saved_out, saved_err;
	enum config_outcome outcome;

	for (; args && args[argc - 1]; argc++)
		argv[argc] = strdup(args[argc - 1]);
	(void)snprintf(out_path, sizeof(out_path), "%s/out", support_tmp_dir());
	(void)snprintf(err_path, sizeof(err_path), "%s/err", support_tmp_dir());
	(void)fflush(stdout);
	saved_out = redirect(STDOUT_FILENO, out_path);
	saved_err = redirect(STDERR_FILENO, err_path);
	memset(&cfg, 0, sizeof(cfg));
	outcome = config_load(of, &cfg, argc, argv);
	restore(STDOUT_FILENO, saved_out, out_path, out, sizeof(out));
	restore(STDERR_FILENO, saved_err, err_path, complaints, sizeof(complaints));
	while (--argc > 0)
		free(argv[argc]);
	return outcome;
}

#define LOAD(of, ...) load(of, (const char *const[]){ __VA_ARGS__, NULL })

static void assert_complaint(const char *words)
{
	ck_assert_msg(
	    strstr(complaints, words) != NULL, "\"%s\" is missing in: %s", words, complaints);
}

static void assert_printed(const char *words)
{
	ck_assert_msg(strstr(out, words) != NULL, "\"%s\" is missing in: %s", words, out);
}

/* A file in the test's folder with that content; borrowed until the next call. */
static const char *file_with(const void *content, size_t len)
{
	static char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/secret", support_tmp_dir());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, len), (ssize_t)len);
	(void)close(fd);
	return path;
}

START_TEST(defaults_fill_what_nobody_set)
{
	ck_assert_int_eq(load(&spec, NULL), CONFIG_RUN);
	ck_assert_str_eq(cfg.url, "nats://127.0.0.1:4222");
	ck_assert_str_eq(cfg.password, "");
	ck_assert_str_eq(cfg.name, "");
	ck_assert_int_eq(cfg.workers, 4);
	ck_assert_int_eq(cfg.wait_ms, 5000);
	ck_assert_int_eq(cfg.bytes, 65536);
	ck_assert(!cfg.verbose);
	ck_assert_str_eq(out, "");
	ck_assert_str_eq(complaints, "");
	config_release(&spec, &cfg);
	ck_assert_ptr_null(cfg.url);
}
END_TEST

START_TEST(flag_wins_over_environment_and_environment_over_default)
{
	setenv("WW_WORKERS", "8", 1);
	setenv("WW_NATS_URL", "nats://env:1", 1);
	ck_assert_int_eq(LOAD(&spec, "--nats-url", "nats://flag:2"), CONFIG_RUN);
	ck_assert_int_eq(cfg.workers, 8);
	ck_assert_str_eq(cfg.url, "nats://flag:2");
	config_release(&spec, &cfg);
}
END_TEST

START_TEST(flags_take_their_value_in_both_forms)
{
	ck_assert_int_eq(
	    LOAD(&spec, "--workers=2", "--wait", "1m", "--name=a=b", "--any-number", "-5"),
	    CONFIG_RUN);
	ck_assert_int_eq(cfg.workers, 2);
	ck_assert_int_eq(cfg.wait_ms, 60000);
	ck_assert_str_eq(cfg.name, "a=b");
	ck_assert_int_eq(cfg.any, -5);
	config_release(&spec, &cfg);
	ck_assert_int_eq(LOAD(&spec, "--workers=2", "--workers=3", "--name="), CONFIG_RUN);
	ck_assert_int_eq(cfg.workers, 3);
	ck_assert_str_eq(cfg.name, "");
	config_release(&spec, &cfg);
}
END_TEST

START_TEST(bool_flag_may_stand_alone)
{
	ck_assert_int_eq(LOAD(&spec, "--verbose", "--workers", "2"), CONFIG_RUN);
	ck_assert(cfg.verbose);
	ck_assert_int_eq(cfg.workers, 2);
	config_release(&spec, &cfg);
	setenv("WW_VERBOSE", "true", 1);
	ck_assert_int_eq(LOAD(&spec, "--verbose", "false", "--workers=2"), CONFIG_RUN);
	ck_assert(!cfg.verbose);
	config_release(&spec, &cfg);
	ck_assert_int_eq(LOAD(&spec, "--verbose=false"), CONFIG_RUN);
	ck_assert(!cfg.verbose);
	config_release(&spec, &cfg);
	ck_assert_int_eq(LOAD(&spec, "--workers=2"), CONFIG_RUN);
	ck_assert(cfg.verbose);
	config_release(&spec, &cfg);
	ck_assert_int_eq(LOAD(&spec, "--verbose=yes"), CONFIG_WRONG);
	assert_complaint("verbose (--verbose, WW_VERBOSE) must be true or false, not \"yes\"");
}
END_TEST

static const struct value_row {
	const char *flag;
	int64_t value;
	bool ok;
} value_rows[] = {
	{ "--wait=250ms", 250, true },
	{ "--wait=5s", 5000, true },
	{ "--wait=2m", 120000, true },
	{ "--wait=1h", 3600000, true },
	{ "--wait=10ms", 10, true },
	{ "--wait=9ms", 0, false },
	{ "--wait=61m", 0, false },
	{ "--wait=0", 0, false },
	{ "--wait=500", 0, false },
	{ "--wait=", 0, false },
	{ "--wait=s", 0, false },
	{ "--wait=5 s", 0, false },
	{ "--wait= 5s", 0, false },
	{ "--wait=5s ", 0, false },
	{ "--wait=1.5s", 0, false },
	{ "--wait=1m30s", 0, false },
	{ "--wait=-5s", 0, false },
	{ "--wait=9223372036854775807h", 0, false },
	{ "--wait=9223372036854775808s", 0, false },
	{ "--packet-max=1000000", 1000000, true },
	{ "--packet-max=64KiB", 65536, true },
	{ "--packet-max=1MiB", 1048576, true },
	{ "--packet-max=1GiB", 1073741824, true },
	{ "--packet-max=2GiB", 0, false },
	{ "--packet-max=64KB", 0, false },
	{ "--packet-max=64kib", 0, false },
	{ "--packet-max=8589934592GiB", 0, false },
	{ "--workers=1", 1, true },
	{ "--workers=64", 64, true },
	{ "--workers=0", 0, false },
	{ "--workers=65", 0, false },
	{ "--workers=+4", 0, false },
	{ "--workers=0x4", 0, false },
	{ "--workers=4KiB", 0, false },
	{ "--workers=four", 0, false },
	{ "--any-number=9223372036854775807", INT64_MAX, true },
	{ "--any-number=-9223372036854775808", INT64_MIN, true },
	{ "--any-number=9223372036854775808", 0, false },
	{ "--any-number=-9223372036854775809", 0, false },
	{ "--any-number=99999999999999999999999", 0, false },
	{ "--any-number=-", 0, false },
};

START_TEST(numbers_are_read_strictly)
{
	const struct value_row *row = &value_rows[_i];

	ck_assert_msg(LOAD(&spec, row->flag) == (row->ok ? CONFIG_RUN : CONFIG_WRONG), "%s: %s",
	    row->flag, complaints);
	if (!row->ok)
		return;
	ck_assert_int_eq(row->flag[2] == 'w' && row->flag[3] == 'a' ? cfg.wait_ms
			 : row->flag[2] == 'p'                      ? cfg.bytes
			 : row->flag[2] == 'w'                      ? cfg.workers
								    : cfg.any,
	    row->value);
	config_release(&spec, &cfg);
}
END_TEST

START_TEST(all_mistakes_are_told_at_once_each_naming_its_setting)
{
	setenv("WW_WORKERS", "65", 1);
	setenv("WW_DB_PASSWORD_FILE", "/nonexistent/secret", 1);
	ck_assert_int_eq(
	    LOAD(&spec, "--wait", "soon", "--frobnicate", "--packet-max=0", "--verbose=1"),
	    CONFIG_WRONG);
	assert_complaint("ww-sample");
	assert_complaint("workers (--workers, WW_WORKERS) must be from 1 to 64, not \"65\"");
	assert_complaint("wait (--wait, WW_WAIT) must be a duration");
	assert_complaint(
	    "packet-max (--packet-max, WW_PACKET_MAX) must be from 1 to 1GiB, not \"0\"");
	assert_complaint("verbose (--verbose, WW_VERBOSE) must be true or false");
	assert_complaint("db-password (WW_DB_PASSWORD or WW_DB_PASSWORD_FILE)");
	assert_complaint("/nonexistent/secret");
	assert_complaint("\"--frobnicate\" is not a flag of this program; try --help");
	ck_assert_str_eq(out, "");
	ck_assert_ptr_null(cfg.url);
}
END_TEST

START_TEST(required_settings_are_asked_for)
{
	ck_assert_int_eq(load(&demanding_spec, NULL), CONFIG_WRONG);
	assert_complaint("name (--name, WW_NAME) is required");
	assert_complaint("pin (WW_PIN or WW_PIN_FILE) is required");
	setenv("WW_NAME", "", 1);
	setenv("WW_PIN", "", 1);
	ck_assert_int_eq(load(&demanding_spec, NULL), CONFIG_WRONG);
	assert_complaint("name (--name, WW_NAME) must not be empty\n");
	assert_complaint("pin (WW_PIN or WW_PIN_FILE) must not be empty\n");
	setenv("WW_PIN", "1234", 1);
	ck_assert_int_eq(LOAD(&demanding_spec, "--name", "n"), CONFIG_RUN);
	ck_assert_str_eq(cfg.name, "n");
	ck_assert_str_eq(cfg.pin, "1234");
	config_release(&demanding_spec, &cfg);
}
END_TEST

START_TEST(wrong_command_lines_are_refused)
{
	ck_assert_int_eq(LOAD(&spec, "stray"), CONFIG_WRONG);
	assert_complaint("unexpected argument \"stray\"");
	ck_assert_int_eq(LOAD(&spec, "-w", "3"), CONFIG_WRONG);
	assert_complaint("\"-w\"");
	ck_assert_int_eq(LOAD(&spec, "--workers"), CONFIG_WRONG);
	assert_complaint("workers (--workers, WW_WORKERS) needs a value");
	ck_assert_int_eq(LOAD(&spec, "--name", "--workers=3"), CONFIG_WRONG);
	assert_complaint("name (--name, WW_NAME) needs a value");
	ck_assert_int_eq(LOAD(&spec, "--"), CONFIG_WRONG);
	ck_assert_int_eq(LOAD(&spec, ""), CONFIG_WRONG);
	ck_assert_int_eq(LOAD(&spec, "--work=3"), CONFIG_WRONG);
	ck_assert_int_eq(LOAD(&spec, "--name=\x1b[31m", "--workers=\x1b[31m"), CONFIG_WRONG);
	ck_assert_ptr_null(strchr(complaints, '\x1b'));
}
END_TEST

START_TEST(environment_of_other_services_is_no_mistake)
{
	setenv("WW_EDGE_LISTEN", "127.0.0.1:8080", 1);
	ck_assert_int_eq(load(&spec, NULL), CONFIG_RUN);
	config_release(&spec, &cfg);
}
END_TEST

START_TEST(secret_flag_is_refused_without_showing_the_secret)
{
	ck_assert_int_eq(LOAD(&spec, "--db-password=hunter2"), CONFIG_WRONG);
	assert_complaint("db-password (WW_DB_PASSWORD or WW_DB_PASSWORD_FILE) is a secret");
	ck_assert_ptr_null(strstr(complaints, "hunter2"));
	ck_assert_int_eq(LOAD(&spec, "--db-password", "hunter2"), CONFIG_WRONG);
	ck_assert_ptr_null(strstr(complaints, "hunter2"));
	ck_assert_int_eq(LOAD(&spec, "--db-pasword=hunter2"), CONFIG_WRONG);
	ck_assert_ptr_null(strstr(complaints, "hunter2"));
	ck_assert_int_eq(LOAD(&spec, "--db-pasword", "hunter2"), CONFIG_WRONG);
	ck_assert_ptr_null(strstr(complaints, "hunter2"));
}
END_TEST

static const struct secret_row {
	const char *content;
	size_t len;
	const char *secret; /* NULL: refused */
} secret_rows[] = {
	{ "hunter2", 7, "hunter2" },
	{ "hunter2\n", 8, "hunter2" },
	{ "hunter2\r\n", 9, "hunter2" },
	{ "hunter2\n\n", 9, "hunter2\n" },
	{ " hunter2 ", 9, " hunter2 " },
	{ "", 0, "" },
	{ "\n", 1, "" },
	{ "hun\0ter2", 8, NULL },
};

START_TEST(secret_file_loses_one_line_break)
{
	const struct secret_row *row = &secret_rows[_i];
	const char *path = file_with(row->content, row->len);

	setenv("WW_DB_PASSWORD_FILE", path, 1);
	ck_assert_int_eq(load(&spec, NULL), row->secret ? CONFIG_RUN : CONFIG_WRONG);
	if (row->secret)
		ck_assert_str_eq(cfg.password, row->secret);
	else
		assert_complaint(path);
	config_release(&spec, &cfg);
}
END_TEST

START_TEST(secret_file_is_bounded_and_must_be_a_file)
{
	char *big = calloc(1, 65537);

	memset(big, 'x', 65537);
	setenv("WW_DB_PASSWORD_FILE", file_with(big, 65536), 1);
	ck_assert_int_eq(load(&spec, NULL), CONFIG_RUN);
	ck_assert_uint_eq(strlen(cfg.password), 65536);
	config_release(&spec, &cfg);
	setenv("WW_DB_PASSWORD_FILE", file_with(big, 65537), 1);
	ck_assert_int_eq(load(&spec, NULL), CONFIG_WRONG);
	setenv("WW_DB_PASSWORD_FILE", support_tmp_dir(), 1);
	ck_assert_int_eq(load(&spec, NULL), CONFIG_WRONG);
	assert_complaint(support_tmp_dir());
	free(big);
}
END_TEST

START_TEST(secret_given_twice_is_a_mistake)
{
	setenv("WW_DB_PASSWORD", "a", 1);
	setenv("WW_DB_PASSWORD_FILE", file_with("a", 1), 1);
	ck_assert_int_eq(load(&spec, NULL), CONFIG_WRONG);
	assert_complaint("is given twice: unset WW_DB_PASSWORD or WW_DB_PASSWORD_FILE");
}
END_TEST

START_TEST(help_shows_every_setting_and_fits_the_screen)
{
	setenv("WW_WORKERS", "nonsense", 1);
	ck_assert_int_eq(LOAD(&spec, "--frobnicate", "--help"), CONFIG_DONE);
	assert_printed("ww-sample: Serves as an example.");
	assert_printed("Usage: ww-sample ");
	assert_printed("  --nats-url <text>       Where the server listens.\n");
	assert_printed("WW_NATS_URL; text; default: nats://127.0.0.1:4222\n");
	assert_printed("WW_WORKERS; number; 1 to 64; default: 4\n");
	assert_printed("WW_WAIT; duration; 10ms to 1h; default: 5s\n");
	assert_printed("WW_PACKET_MAX; size; 1 to 1GiB; default: 64KiB\n");
	assert_printed("  --verbose [true|false]  Say more.\n");
	assert_printed("  WW_DB_PASSWORD          Password of the database.\n");
	assert_printed("secret, or WW_DB_PASSWORD_FILE names a file that holds it; optional\n");
	assert_printed("--check-config");
	ck_assert_str_eq(complaints, "");
	for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
		ck_assert_uint_le(strlen(line), 100);
}
END_TEST

START_TEST(version_is_one_line)
{
	ck_assert_int_eq(LOAD(&spec, "--version"), CONFIG_DONE);
	ck_assert_str_eq(out, "ww-sample " WW_VERSION "\n");
}
END_TEST

START_TEST(check_config_says_whether_the_configuration_is_valid)
{
	ck_assert_int_eq(LOAD(&spec, "--check-config", "--workers=3"), CONFIG_DONE);
	ck_assert_str_eq(out, "configuration is valid\n");
	ck_assert_ptr_null(cfg.url);
	ck_assert_int_eq(LOAD(&spec, "--check-config", "--workers=0"), CONFIG_WRONG);
	ck_assert_str_eq(out, "");
	assert_complaint("WW_WORKERS");
}
END_TEST

START_TEST(markdown_is_a_table_of_all_settings)
{
	struct buf text = BUF_INIT;

	config_markdown(&spec, &text);
	ck_assert_int_eq(LOAD(&spec, "--help-markdown"), CONFIG_DONE);
	ck_assert_str_eq(out, buf_str(&text));
	assert_printed("## ww-sample\n\nServes as an example.\n\n");
	assert_printed("| `--workers` | `WW_WORKERS` | number | 1 to 64 | `4` | Threads that serve "
		       "requests. |\n");
	assert_printed(
	    "| (none) | `WW_DB_PASSWORD`, `WW_DB_PASSWORD_FILE` | secret |  | empty | Password");
	assert_printed("Any number \\| with a bar. |\n");
	assert_printed("| true\\|false |");
	buf_finish(&text);
	ck_assert_int_eq(LOAD(&demanding_spec, "--help-markdown"), CONFIG_DONE);
	assert_printed("| required | A name. |");
}
END_TEST

START_TEST(description_shows_values_but_no_secret)
{
	struct buf text = BUF_INIT;

	setenv("WW_DB_PASSWORD", "hunter2", 1);
	ck_assert_int_eq(
	    LOAD(&spec, "--nats-url=nats://u:hunter3@h:4222/x", "--wait=90s", "--name=n"),
	    CONFIG_RUN);
	config_describe(&spec, &cfg, &text);
	ck_assert_str_eq(buf_str(&text),
	    "nats-url=nats://u:***@h:4222/x db-password=*** workers=4 wait=90s "
	    "packet-max=64KiB any-number=0 verbose=false name=n");
	buf_finish(&text);
	config_release(&spec, &cfg);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *values = tcase_create("values");
	TCase *mistakes = tcase_create("mistakes");
	TCase *secrets = tcase_create("secrets");
	TCase *answers = tcase_create("answers");

	(void)support_tmp_dir();
	tcase_add_test(values, defaults_fill_what_nobody_set);
	tcase_add_test(values, flag_wins_over_environment_and_environment_over_default);
	tcase_add_test(values, flags_take_their_value_in_both_forms);
	tcase_add_test(values, bool_flag_may_stand_alone);
	tcase_add_loop_test(values, numbers_are_read_strictly, 0, (int)ARRAY_LEN(value_rows));
	tcase_add_test(mistakes, all_mistakes_are_told_at_once_each_naming_its_setting);
	tcase_add_test(mistakes, required_settings_are_asked_for);
	tcase_add_test(mistakes, wrong_command_lines_are_refused);
	tcase_add_test(mistakes, environment_of_other_services_is_no_mistake);
	tcase_add_test(secrets, secret_flag_is_refused_without_showing_the_secret);
	tcase_add_loop_test(
	    secrets, secret_file_loses_one_line_break, 0, (int)ARRAY_LEN(secret_rows));
	tcase_add_test(secrets, secret_file_is_bounded_and_must_be_a_file);
	tcase_add_test(secrets, secret_given_twice_is_a_mistake);
	tcase_add_test(answers, help_shows_every_setting_and_fits_the_screen);
	tcase_add_test(answers, version_is_one_line);
	tcase_add_test(answers, check_config_says_whether_the_configuration_is_valid);
	tcase_add_test(answers, markdown_is_a_table_of_all_settings);
	tcase_add_test(answers, description_shows_values_but_no_secret);
	suite_add_tcase(suite, values);
	suite_add_tcase(suite, mistakes);
	suite_add_tcase(suite, secrets);
	suite_add_tcase(suite, answers);
	return support_run(suite);
}
