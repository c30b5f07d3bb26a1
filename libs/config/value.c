/* Numbers with units are whole numbers with one unit: "90s", never "1m30s" or "1.5m". */
#include "config/value.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest last, so that formatting finds the shortest form from the end. */
static const struct unit durations[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
	{ "h", 3600000 } };
static const struct unit sizes[] = { { "", 1 }, { "KiB", INT64_C(1) << 10 },
	{ "MiB", INT64_C(1) << 20 }, { "GiB", INT64_C(1) << 30 } };
static const struct unit plain[] = { { "", 1 } };

static const struct type_row {
	const char *name;
	const char *expected;
	const struct unit *units;
	size_t units_len;
} types[] = {
	[SETTING_TEXT] = { "text", NULL, NULL, 0 },
	[SETTING_SECRET] = { "secret", NULL, NULL, 0 },
	[SETTING_INT] = { "number", "a whole number", plain, ARRAY_LEN(plain) },
	[SETTING_DURATION] = { "duration", "a duration such as 250ms, 5s, 2m or 24h", durations,
	    ARRAY_LEN(durations) },
	[SETTING_SIZE] = { "size", "a size such as 1000000, 64KiB, 1MiB or 1GiB", sizes,
	    ARRAY_LEN(sizes) },
	[SETTING_BOOL] = { "true|false", "true or false", NULL, 0 },
};

const char *value_type_name(enum setting_type type)
{
	return types[type].name;
}

bool value_is_text(enum setting_type type)
{
	return type == SETTING_TEXT || type == SETTING_SECRET;
}

void setting_env(const struct setting *setting, char ret_env[static SETTING_ENV_SIZE])
{
	assert(strlen(setting->name) <= SETTING_NAME_MAX);
	(void)snprintf(ret_env, SETTING_ENV_SIZE, "WW_%s", setting->name);
	for (char *c = ret_env; *c; c++)
		*c = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
}

void value_format(enum setting_type type, int64_t n, struct buf *out)
{
	const struct type_row *row = &types[type];
	size_t i = row->units_len - 1;

	while (i > 0 && (n == 0 || n % row->units[i].factor != 0))
		i--;
	buf_appendf(out, "%" PRId64 "%s", n / row->units[i].factor, row->units[i].name);
}

/* Digits, perhaps with a minus, as many as stand at *at; false if there are none or too many. */
static bool parse_digits(const char **at, int64_t *ret_n)
{
	bool negative = **at == '-';
	int64_t n = 0;
	bool some = false;

	for (*at += negative; **at >= '0' && **at <= '9'; (*at)++) {
		int64_t digit = **at - '0';

		/* Built below zero, where there is room for one more than above. */
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, digit, &n))
			return false;
		some = true;
	}
	*ret_n = n;
	return some && (negative || !__builtin_sub_overflow(0, n, ret_n));
}

static bool parse_number(const struct type_row *row, const char *text, int64_t *ret_n)
{
	if (!parse_digits(&text, ret_n))
		return false;
	for (size_t i = 0; i < row->units_len; i++) {
		if (strcmp(text, row->units[i].name) == 0)
			return !__builtin_mul_overflow(*ret_n, row->units[i].factor, ret_n);
	}
	return *ret_n == 0 && *text == '\0'; /* nothing needs no unit */
}

static enum status check_range(const struct setting *setting, int64_t n, struct err *why)
{
	struct buf range = BUF_INIT;

	if ((setting->min == 0 && setting->max == 0) || (n >= setting->min && n <= setting->max))
		return STATUS_OK;
	buf_append_str(&range, "must be from ");
	value_format(setting->type, setting->min, &range);
	buf_append_str(&range, " to ");
	value_format(setting->type, setting->max, &range);
	err_set(why, STATUS_INVALID, "%s", buf_str(&range));
	buf_finish(&range);
	return STATUS_INVALID;
}

static enum status parse_bool(const char *text, bool *ret_value, struct err *why)
{
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return err_set(why, STATUS_INVALID, "must be %s", types[SETTING_BOOL].expected);
	*ret_value = text[0] == 't';
	return STATUS_OK;
}

enum status value_parse(
    const struct setting *setting, const char *text, void *config, struct err *why)
{
	const struct type_row *row = &types[setting->type];
	void *field = (char *)config + setting->offset;
	int64_t n;
	enum status s;

	if (setting->type == SETTING_BOOL)
		return parse_bool(text, field, why);
	if (value_is_text(setting->type)) {
		if (!setting->dflt && !*text)
			return err_set(why, STATUS_INVALID, "must not be empty");
		*(char **)field = xstrdup(text);
		return STATUS_OK;
	}
	if (!parse_number(row, text, &n))
		return err_set(why, STATUS_INVALID, "must be %s", row->expected);
	s = check_range(setting, n, why);
	if (s == STATUS_OK)
		*(int64_t *)field = n;
	return s;
}
