/* The tables as text for people: --help and Markdown. */
#include "config/help.h"

#include <string.h>

#include "config/value.h"

enum {
	FLAG_COLUMN_MIN = 16,
	FLAG_COLUMN_MAX = 40,
	TEXT_WIDTH = 96,
};

static const struct {
	const char *flag, *help;
} fixed_flags[] = {
	{ "--help", "Print this and exit." },
	{ "--version", "Print the version and exit." },
	{ "--check-config", "Check all settings, report every mistake, and exit." },
	{ "--help-markdown", "Print the settings as a Markdown table and exit." },
};

/* "--nats-url <text>"; a bool may stand alone; a secret has no flag, only its variable. */
static void append_flag(const struct setting *setting, struct buf *out)
{
	char env[SETTING_ENV_SIZE];

	if (setting->type == SETTING_SECRET) {
		setting_env(setting, env);
		buf_append_str(out, env);
	} else if (setting->type == SETTING_BOOL) {
		buf_appendf(out, "--%s [true|false]", setting->name);
	} else {
		buf_appendf(out, "--%s <%s>", setting->name, value_type_name(setting->type));
	}
}

static void append_range(const struct setting *setting, struct buf *out)
{
	if (setting->min == 0 && setting->max == 0)
		return;
	value_format(setting->type, setting->min, out);
	buf_append_str(out, " to ");
	value_format(setting->type, setting->max, out);
}

static void append_default(const struct setting *setting, struct buf *out)
{
	if (!setting->dflt)
		buf_append_str(out, "required");
	else if (setting->type == SETTING_SECRET)
		buf_append_str(out, "optional");
	else if (!*setting->dflt)
		buf_append_str(out, "default: empty");
	else
		buf_appendf(out, "default: %s", setting->dflt);
}

/* "WW_NATS_URL, duration, 1s to 1m, default: 5s" */
static void append_facts(const struct setting *setting, struct buf *out)
{
	char env[SETTING_ENV_SIZE];
	size_t before;

	setting_env(setting, env);
	if (setting->type == SETTING_SECRET)
		buf_appendf(out, "secret, or %s_FILE names a file that holds it; ", env);
	else
		buf_appendf(out, "%s; %s; ", env, value_type_name(setting->type));
	before = out->len;
	append_range(setting, out);
	if (out->len > before)
		buf_append_str(out, "; ");
	append_default(setting, out);
}

static void append_spaces(struct buf *out, size_t count)
{
	while (count-- > 0)
		buf_append_char(out, ' ');
}

/* Words up to the width, the following lines under the first. The cursor is at `column`. */
static void append_wrapped(struct buf *out, const char *text, size_t column)
{
	size_t at = column;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (at > column && at + 1 + word > TEXT_WIDTH) {
			buf_append_char(out, '\n');
			append_spaces(out, column);
			at = column;
		} else if (at > column) {
			buf_append_char(out, ' ');
			at++;
		}
		buf_append(out, text, word);
		at += word;
		text += word + strspn(text + word, " ");
	}
	buf_append_char(out, '\n');
}

/* "  <flag>   " up to the column of the texts, on a line of its own if it is too long. */
static void append_left(struct buf *out, const char *flag, size_t column)
{
	size_t len = 2 + strlen(flag);

	buf_appendf(out, "  %s", flag);
	if (len + 2 > column) {
		buf_append_char(out, '\n');
		len = 0;
	}
	append_spaces(out, column - len);
}

static size_t flag_column(const struct config_spec *spec)
{
	size_t column = FLAG_COLUMN_MIN;

	for (size_t t = 0; spec->tables[t]; t++) {
		for (size_t i = 0; i < spec->table_lens[t]; i++) {
			struct buf flag = BUF_INIT;

			append_flag(&spec->tables[t][i], &flag);
			if (flag.len + 4 > column && flag.len + 4 <= FLAG_COLUMN_MAX)
				column = flag.len + 4;
			buf_finish(&flag);
		}
	}
	return column;
}

static void append_setting(const struct setting *setting, size_t column, struct buf *out)
{
	struct buf flag = BUF_INIT, facts = BUF_INIT;

	append_flag(setting, &flag);
	append_left(out, buf_str(&flag), column);
	append_wrapped(out, setting->help, column);
	append_facts(setting, &facts);
	append_spaces(out, column);
	append_wrapped(out, buf_str(&facts), column);
	buf_finish(&flag);
	buf_finish(&facts);
}

void help_text(const struct config_spec *spec, struct buf *out)
{
	size_t column = flag_column(spec);

	buf_appendf(out, "%s: %s\n\nUsage: %s [--setting value]...\n\n", spec->program,
	    spec->summary, spec->program);
	buf_append_str(
	    out, "A flag wins over the environment, the environment over the default.\n\n");
	buf_append_str(out, "Settings:\n");
	for (size_t t = 0; spec->tables[t]; t++) {
		for (size_t i = 0; i < spec->table_lens[t]; i++)
			append_setting(&spec->tables[t][i], column, out);
	}
	buf_append_str(out, "\nAlso:\n");
	for (size_t i = 0; i < ARRAY_LEN(fixed_flags); i++) {
		append_left(out, fixed_flags[i].flag, column);
		append_wrapped(out, fixed_flags[i].help, column);
	}
}

/* A cell of a Markdown table: a bar would end it. */
static void append_cell(const char *text, struct buf *out)
{
	for (; *text; text++) {
		if (*text == '|')
			buf_append_char(out, '\\');
		buf_append_char(out, *text);
	}
	buf_append_str(out, " |");
}

static void append_row(const struct setting *setting, struct buf *out)
{
	char env[SETTING_ENV_SIZE];
	struct buf range = BUF_INIT;

	setting_env(setting, env);
	if (setting->type == SETTING_SECRET)
		buf_appendf(out, "| (none) | `%s`, `%s_FILE` | ", env, env);
	else
		buf_appendf(out, "| `--%s` | `%s` | ", setting->name, env);
	append_cell(value_type_name(setting->type), out);
	append_range(setting, &range);
	buf_append_char(out, ' ');
	append_cell(range.len ? buf_str(&range) : "", out);
	buf_append_char(out, ' ');
	if (!setting->dflt)
		buf_append_str(out, "required |");
	else if (setting->type == SETTING_SECRET || !*setting->dflt)
		buf_append_str(out, "empty |");
	else
		buf_appendf(out, "`%s` |", setting->dflt);
	buf_append_char(out, ' ');
	append_cell(setting->help, out);
	buf_append_char(out, '\n');
	buf_finish(&range);
}

void config_markdown(const struct config_spec *spec, struct buf *out)
{
	buf_appendf(out, "## %s\n\n%s\n\n", spec->program, spec->summary);
	buf_append_str(out, "| flag | environment | type | range | default | what it does |\n"
			    "| --- | --- | --- | --- | --- | --- |\n");
	for (size_t t = 0; spec->tables[t]; t++) {
		for (size_t i = 0; i < spec->table_lens[t]; i++)
			append_row(&spec->tables[t][i], out);
	}
}
