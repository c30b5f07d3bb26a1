/*
 * Loading in two passes: the flags are noted first, then every setting of the tables is given its
 * value from flag, environment or default. Mistakes are collected, so that people see all of them
 * at once.
 */
#include "config/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "config/help.h"
#include "config/value.h"

enum {
	SECRET_FILE_MAX = 64 * 1024,
	SHOWN_MAX = 80, /* bytes of a wrong value that are repeated in its mistake */
};

/* What the command line asked for besides values. */
enum request { REQUEST_RUN, REQUEST_CHECK, REQUEST_HELP, REQUEST_VERSION, REQUEST_MARKDOWN };

struct slot {
	const struct setting *setting;
	const char *flag; /* the value a flag gave it, or NULL */
};

struct load {
	const struct config_spec *spec;
	void *config;
	struct slot *slots; /* all tables in one list */
	size_t len;
	enum request request;
	struct buf mistakes; /* a line each */
};

/* Index of the setting with that name; load->len if there is none. */
static size_t find(const struct load *load, struct bytes name)
{
	size_t i = 0;

	while (i < load->len && !bytes_equal_str(name, load->slots[i].setting->name))
		i++;
	return i;
}

static void load_init(struct load *load, const struct config_spec *spec, void *config)
{
	*load = (struct load){ .spec = spec, .config = config };
	for (size_t t = 0; spec->tables[t]; t++)
		load->len += spec->table_lens[t];
	load->slots = xcalloc(load->len, sizeof(*load->slots));
	load->len = 0;
	for (size_t t = 0; spec->tables[t]; t++) {
		for (size_t i = 0; i < spec->table_lens[t]; i++) {
			const struct setting *setting = &spec->tables[t][i];

			assert(find(load, bytes_of_str(setting->name)) == load->len &&
			       "a name is used once");
			load->slots[load->len++].setting = setting;
		}
	}
}

static void load_finish(struct load *load)
{
	free(load->slots);
	buf_finish(&load->mistakes);
}

/* A wrong value, short and safe for a terminal. */
static void append_shown(struct buf *out, const char *value)
{
	size_t len = strnlen(value, SHOWN_MAX);

	buf_append_char(out, '"');
	for (size_t i = 0; i < len; i++)
		buf_append_char(out, (char)(value[i] >= 0x20 && value[i] < 0x7f ? value[i] : '?'));
	buf_append_str(out, value[len] ? "...\"" : "\"");
}

/* "nats-url (--nats-url, WW_NATS_URL) <words>" */
static void begin_mistake(struct load *load, const struct setting *setting)
{
	char env[SETTING_ENV_SIZE];

	setting_env(setting, env);
	if (setting->type == SETTING_SECRET)
		buf_appendf(&load->mistakes, "  %s (%s or %s_FILE) ", setting->name, env, env);
	else
		buf_appendf(&load->mistakes, "  %s (--%s, %s) ", setting->name, setting->name, env);
}

/* How a flag that is no setting is answered; false if it is none of these either. */
static bool take_request(struct load *load, const char *arg)
{
	static const struct {
		const char *flag;
		enum request request;
	} requests[] = {
		{ "--help", REQUEST_HELP },
		{ "-h", REQUEST_HELP },
		{ "--version", REQUEST_VERSION },
		{ "--help-markdown", REQUEST_MARKDOWN },
		{ "--check-config", REQUEST_CHECK },
	};

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		if (strcmp(arg, requests[i].flag) != 0)
			continue;
		/* --help and the like answer, whatever else stands there; the first one counts. */
		if (load->request <= REQUEST_CHECK)
			load->request = requests[i].request;
		return true;
	}
	return false;
}

static bool is_bool_word(const char *arg)
{
	return arg && (strcmp(arg, "true") == 0 || strcmp(arg, "false") == 0);
}

static void wrong_flag(struct load *load, const char *arg, size_t name_len)
{
	buf_append_str(&load->mistakes, "  ");
	if (strncmp(arg, "--", 2) == 0) {
		char *name = xmemdup(arg, name_len + 1);

		name[name_len] = '\0'; /* its value may be a secret */
		append_shown(&load->mistakes, name);
		buf_append_str(&load->mistakes, " is not a flag of this program; try --help\n");
		free(name);
	} else {
		buf_append_str(&load->mistakes, "unexpected argument ");
		append_shown(&load->mistakes, arg);
		buf_append_str(
		    &load->mistakes, "; settings are given as --name value; try --help\n");
	}
}

/* `next` is the argument after `arg`, or NULL. Returns true if it was the value. */
static bool take_flag(struct load *load, const char *arg, const char *next)
{
	const char *equals = strchr(arg, '=');
	size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
	bool dashes = len > 2 && strncmp(arg, "--", 2) == 0;
	size_t at = dashes ? find(load, bytes_of(arg + 2, len - 2)) : load->len;
	bool next_is_value = next && strncmp(next, "--", 2) != 0;

	if (at == load->len) {
		wrong_flag(load, arg, len);
		return dashes && !equals && next_is_value;
	}
	if (load->slots[at].setting->type == SETTING_SECRET) {
		begin_mistake(load, load->slots[at].setting);
		buf_append_str(&load->mistakes,
		    "is a secret and never a flag: every user of the machine sees flags\n");
		return !equals && next_is_value;
	}
	if (equals) {
		load->slots[at].flag = equals + 1;
	} else if (load->slots[at].setting->type == SETTING_BOOL) {
		load->slots[at].flag = is_bool_word(next) ? next : "true";
		return is_bool_word(next);
	} else if (next_is_value) {
		load->slots[at].flag = next;
		return true;
	} else {
		begin_mistake(load, load->slots[at].setting);
		buf_append_str(&load->mistakes, "needs a value after its flag\n");
	}
	return false;
}

static void take_arguments(struct load *load, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (take_request(load, argv[i]))
			continue;
		if (take_flag(load, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
			i++;
	}
}

static enum status read_all(int fd, char *ret_text, size_t size, size_t *ret_len)
{
	*ret_len = 0;
	while (*ret_len < size) {
		ssize_t got = read(fd, ret_text + *ret_len, size - *ret_len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return STATUS_UNAVAILABLE;
		if (got == 0)
			break;
		*ret_len += (size_t)got;
	}
	return STATUS_OK;
}

/* The content without its last line break. *ret_text is the caller's to free(). */
static enum status read_secret(const char *path, char **ret_text, struct err *why)
{
	char *text;
	size_t len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum status s = STATUS_OK;

	if (fd < 0)
		return err_set(why, STATUS_INVALID, "can't be read: %s: %s", path, strerror(errno));
	text = xmalloc(SECRET_FILE_MAX + 1);
	if (read_all(fd, text, SECRET_FILE_MAX + 1, &len))
		s = err_set(why, STATUS_INVALID, "can't be read: %s: %s", path, strerror(errno));
	else if (len > SECRET_FILE_MAX || memchr(text, '\0', len))
		s = err_set(why, STATUS_INVALID,
		    "can't be used: %s has more than 64KiB or a zero byte", path);
	(void)close(fd);
	if (s) {
		free(text);
		return s;
	}
	if (len && text[len - 1] == '\n')
		len--;
	if (len && text[len - 1] == '\r')
		len--;
	text[len] = '\0';
	*ret_text = text;
	return STATUS_OK;
}

/* *ret_text is the caller's to free(); NULL if neither variable is set. */
static enum status find_secret(const char *env, char **ret_text, struct err *why)
{
	char file_env[SETTING_ENV_SIZE + 5];
	const char *value = getenv(env);
	const char *path;

	(void)snprintf(file_env, sizeof(file_env), "%s_FILE", env);
	path = getenv(file_env);
	*ret_text = NULL;
	if (value && path)
		return err_set(
		    why, STATUS_INVALID, "is given twice: unset %s or %s", env, file_env);
	if (path)
		return read_secret(path, ret_text, why);
	if (value)
		*ret_text = xstrdup(value);
	return STATUS_OK;
}

static void take_secret(struct load *load, const struct setting *setting)
{
	char env[SETTING_ENV_SIZE];
	struct err why = ERR_INIT;
	char *text = NULL;
	enum status s;

	setting_env(setting, env);
	s = find_secret(env, &text, &why);
	if (!s && !text && !setting->dflt)
		s = err_set(&why, STATUS_INVALID, "is required");
	if (!s)
		s = value_parse(setting, text ? text : setting->dflt, load->config, &why);
	if (s) {
		begin_mistake(load, setting);
		buf_appendf(&load->mistakes, "%s\n", why.msg);
	}
	free(text);
}

static void take_value(struct load *load, size_t at)
{
	const struct setting *setting = load->slots[at].setting;
	char env[SETTING_ENV_SIZE];
	struct err why = ERR_INIT;
	const char *text = load->slots[at].flag;

	setting_env(setting, env);
	if (!text)
		text = getenv(env);
	if (!text)
		text = setting->dflt;
	if (!text) {
		begin_mistake(load, setting);
		buf_append_str(&load->mistakes, "is required\n");
	} else if (value_parse(setting, text, load->config, &why)) {
		begin_mistake(load, setting);
		buf_append_str(&load->mistakes, why.msg);
		if (*text) {
			buf_append_str(&load->mistakes, ", not ");
			append_shown(&load->mistakes, text);
		}
		buf_append_char(&load->mistakes, '\n');
	}
}

static void take_values(struct load *load)
{
	for (size_t i = 0; i < load->len; i++) {
		if (load->slots[i].setting->type == SETTING_SECRET)
			take_secret(load, load->slots[i].setting);
		else
			take_value(load, i);
	}
}

static void print(FILE *to, struct buf *text)
{
	(void)fwrite(text->data, 1, text->len, to);
	(void)fflush(to);
	buf_finish(text);
}

static enum config_outcome answer(const struct load *load)
{
	struct buf out = BUF_INIT;

	if (load->request == REQUEST_HELP)
		help_text(load->spec, &out);
	else if (load->request == REQUEST_MARKDOWN)
		config_markdown(load->spec, &out);
	else
		buf_appendf(&out, "%s %s\n", load->spec->program, WW_VERSION);
	print(stdout, &out);
	return CONFIG_DONE;
}

static enum config_outcome finish_values(struct load *load)
{
	struct buf out = BUF_INIT;

	if (load->mistakes.len) {
		buf_appendf(&out, "%s: the configuration has mistakes:\n", load->spec->program);
		buf_append_bytes(&out, buf_bytes(&load->mistakes));
		print(stderr, &out);
		return CONFIG_WRONG;
	}
	if (load->request == REQUEST_CHECK) {
		buf_append_str(&out, "configuration is valid\n");
		print(stdout, &out);
		return CONFIG_DONE;
	}
	return CONFIG_RUN;
}

enum config_outcome config_load(const struct config_spec *spec, void *config, int argc, char **argv)
{
	struct load load;
	enum config_outcome outcome;

	load_init(&load, spec, config);
	take_arguments(&load, argc, argv);
	if (load.request > REQUEST_CHECK) {
		outcome = answer(&load);
	} else {
		take_values(&load);
		outcome = finish_values(&load);
		if (outcome != CONFIG_RUN)
			config_release(spec, config);
	}
	load_finish(&load);
	return outcome;
}

void config_release(const struct config_spec *spec, void *config)
{
	for (size_t t = 0; spec->tables[t]; t++) {
		for (size_t i = 0; i < spec->table_lens[t]; i++) {
			const struct setting *setting = &spec->tables[t][i];
			char **field = (char **)(void *)((char *)config + setting->offset);

			if (!value_is_text(setting->type))
				continue;
			free(*field);
			*field = NULL;
		}
	}
}

/* A URL may carry a password: "nats://user:***@host". */
static void append_text(struct buf *out, const char *text)
{
	const char *authority = strstr(text, "://");
	const char *at = authority ? strchr(authority + 3, '@') : NULL;
	const char *colon = at ? memchr(authority + 3, ':', (size_t)(at - authority - 3)) : NULL;

	if (colon) {
		buf_append(out, text, (size_t)(colon + 1 - text));
		buf_append_str(out, "***");
		text = at;
	}
	buf_append_str(out, text);
}

static void append_value(const struct setting *setting, const void *config, struct buf *out)
{
	const void *field = (const char *)config + setting->offset;

	if (setting->type == SETTING_SECRET)
		buf_append_str(out, **(char *const *)field ? "***" : "");
	else if (setting->type == SETTING_TEXT)
		append_text(out, *(char *const *)field);
	else if (setting->type == SETTING_BOOL)
		buf_append_str(out, *(const bool *)field ? "true" : "false");
	else
		value_format(setting->type, *(const int64_t *)field, out);
}

void config_describe(const struct config_spec *spec, const void *config, struct buf *out)
{
	for (size_t t = 0; spec->tables[t]; t++) {
		for (size_t i = 0; i < spec->table_lens[t]; i++) {
			buf_appendf(out, "%s%s=", out->len ? " " : "", spec->tables[t][i].name);
			append_value(&spec->tables[t][i], config, out);
		}
	}
}
