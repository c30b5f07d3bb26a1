/* Tables of options on top of getopt_long(3), which knows the spellings (--a=b, --a b, --). */
#include "options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { ROW_BASE = 256 }; /* getopt's code of row 0: above every character */

struct unit {
	const char *suffix;
	int64_t factor;
};

static const struct unit duration_units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
	{ "h", 3600000 }, { "d", 86400000 }, { NULL, 0 } };
static const struct unit size_units[] = { { "", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 },
	{ "GiB", 1 << 30 }, { NULL, 0 } };
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

static enum status parse_number(
    const char *text, const struct unit *units, const char *like, int64_t *ret_n, struct err *err)
{
	char *end = NULL;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text || text[0] == ' ')
		return err_set(err, STATUS_INVALID, "\"%s\" is not a value like %s", text, like);
	for (; units->suffix; units++) {
		if (strcmp(end, units->suffix) == 0 && n <= INT64_MAX / units->factor &&
		    n >= INT64_MIN / units->factor) {
			*ret_n = n * units->factor;
			return STATUS_OK;
		}
	}
	return err_set(err, STATUS_INVALID, "\"%s\" is not a value like %s", text, like);
}

enum status options_parse_duration(const char *text, int64_t *ret_ms, struct err *err)
{
	return parse_number(text, duration_units, "90s, 15m, 1h or 7d", ret_ms, err);
}

enum status options_parse_size(const char *text, int64_t *ret_bytes, struct err *err)
{
	return parse_number(text, size_units, "1000000, 64KiB, 16MiB or 1GiB", ret_bytes, err);
}

static enum status set_number(
    const struct option_row *row, int64_t *field, const char *text, struct err *err)
{
	int64_t n = 0;
	enum status s;

	if (row->type == OPTION_DURATION)
		s = options_parse_duration(text, &n, err);
	else if (row->type == OPTION_SIZE)
		s = options_parse_size(text, &n, err);
	else
		s = parse_number(text, no_units, "42", &n, err);
	if (s)
		return s;
	if (n < row->min || n > row->max)
		return err_set(
		    err, STATUS_INVALID, "%s is outside of what is allowed (%s)", text, row->help);
	*field = n;
	return STATUS_OK;
}

static enum status set_value(
    const struct option_row *row, void *opt, const char *text, struct err *err)
{
	void *field = (char *)opt + row->offset;
	struct option_list *list = field;

	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return STATUS_OK;
	case OPTION_TEXT:
		*(const char **)field = text;
		return STATUS_OK;
	case OPTION_LIST:
		if (list->len == OPTION_LIST_MAX)
			return err_set(
			    err, STATUS_INVALID, "given more than %d times", OPTION_LIST_MAX);
		list->at[list->len++] = text;
		return STATUS_OK;
	case OPTION_INT:
	case OPTION_DURATION:
	case OPTION_SIZE:
		break;
	}
	return set_number(row, field, text, err);
}

static size_t table_len(const struct option_row *rows)
{
	size_t n = 0;

	while (rows && rows[n].name)
		n++;
	return n;
}

static size_t rows_total(const struct usage *usage)
{
	return table_len(usage->rows) + table_len(usage->more_rows);
}

static const struct option_row *row_at(const struct usage *usage, size_t i)
{
	size_t own = table_len(usage->rows);

	return i < own ? &usage->rows[i] : &usage->more_rows[i - own];
}

static void print_row(FILE *out, const struct option_row *row)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "--%s%s%s", row->name, row->value ? " " : "",
	    row->value ? row->value : "");
	(void)fprintf(out, "  %-26s %s", left, row->help);
	if (row->env)
		(void)fprintf(out, " [%s]", row->env);
	if (row->dflt)
		(void)fprintf(out, " (default: %s)", row->dflt);
	(void)fputc('\n', out);
}

static void print_help(const struct usage *usage, const struct option_list *operands)
{
	(void)printf("usage: ww %s%s%s [options]\n\n%s\n\noptions:\n", usage->command,
	    usage->operands ? " " : "", usage->operands ? usage->operands : "", usage->help);
	for (size_t i = 0; i < rows_total(usage); i++)
		print_row(stdout, row_at(usage, i));
	(void)printf("  %-26s %s\n", "--help", "this text");
	if (usage->epilogue)
		usage->epilogue(stdout, operands);
}

/* Environment first, then the built-in default, for every row: the command line overwrites them. */
static enum options_outcome set_defaults(const struct usage *usage, void *opt)
{
	for (size_t i = 0; i < rows_total(usage); i++) {
		const struct option_row *row = row_at(usage, i);
		const char *env = row->env ? getenv(row->env) : NULL;
		const char *text = env && env[0] ? env : row->dflt;
		struct err err = ERR_INIT;

		if (text && set_value(row, opt, text, &err)) {
			(void)cli_misused(
			    usage->command, "%s: %s", row->env ? row->env : row->name, err.msg);
			return OPTIONS_WRONG;
		}
	}
	return OPTIONS_RUN;
}

static void fill_long_options(const struct usage *usage, struct option *longs)
{
	for (size_t i = 0; i < rows_total(usage); i++) {
		const struct option_row *row = row_at(usage, i);

		longs[i] = (struct option){ row->name,
			row->type == OPTION_FLAG ? no_argument : required_argument, NULL,
			ROW_BASE + (int)i };
	}
	longs[rows_total(usage)] = (struct option){ "help", no_argument, NULL, 'h' };
}

/* One option as getopt_long() found it; `code` is what it returned. */
static bool take_option(const struct usage *usage, void *opt, int code, const char *given)
{
	const struct option_row *row;
	struct err err = ERR_INIT;

	if (code == ':')
		(void)cli_misused(usage->command, "%s needs a value", given);
	else if (code == '?')
		(void)cli_misused(usage->command, "unknown option %s", given);
	if (code < ROW_BASE)
		return false;
	row = row_at(usage, (size_t)(code - ROW_BASE));
	if (set_value(row, opt, optarg ? optarg : "", &err) == STATUS_OK)
		return true;
	(void)cli_misused(usage->command, "--%s: %s", row->name, err.msg);
	return false;
}

static bool take_operands(
    const struct usage *usage, int argc, char **argv, struct option_list *operands)
{
	size_t max = usage->operands_max;

	assert(max <= OPTION_LIST_MAX);
	operands->len = 0;
	for (; optind < argc; optind++) {
		if (operands->len == max) {
			(void)cli_misused(usage->command, "unexpected \"%s\"", argv[optind]);
			return false;
		}
		operands->at[operands->len++] = argv[optind];
	}
	return true;
}

enum options_outcome options_parse(
    const struct usage *usage, void *opt, struct option_list *ret_operands, int argc, char **argv)
{
	struct option longs[OPTION_ROWS_MAX + 2] = { 0 };
	bool help = false;
	int code;

	assert(rows_total(usage) <= OPTION_ROWS_MAX);
	fill_long_options(usage, longs);
	if (set_defaults(usage, opt) == OPTIONS_WRONG)
		return OPTIONS_WRONG;
	optind = 0; /* glibc: start over, also its own state */
	opterr = 0; /* our words, not getopt's */
	while ((code = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (code == 'h')
			help = true;
		else if (!take_option(usage, opt, code, argv[optind - 1]))
			return OPTIONS_WRONG;
	}
	if (!take_operands(usage, argc, argv, ret_operands))
		return OPTIONS_WRONG;
	if (!help)
		return OPTIONS_RUN;
	print_help(usage, ret_operands);
	return OPTIONS_DONE;
}
