/*
 * config: a program's settings, declared as one table.
 *
 * From the table come parsing, --help, --check-config, --version, the start-up log and
 * docs/configuration.md. A setting `nats-url` is the flag --nats-url and the environment variable
 * WW_NATS_URL; flags win over the environment, the environment over the default. A secret is never
 * a flag: WW_X holds it, or WW_X_FILE names a file that does (its last line break is dropped).
 * Every mistake is reported at once, each naming its setting.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum setting_type {
	SETTING_TEXT,     /* char *, owned by the config */
	SETTING_SECRET,   /* char *, never shown, never a flag */
	SETTING_INT,      /* int64_t, within [min, max] */
	SETTING_DURATION, /* int64_t milliseconds: "250ms", "5s", "24h"; within [min, max] ms */
	SETTING_SIZE,     /* int64_t bytes: "64KiB", "1MiB", "1000000"; within [min, max] bytes */
	SETTING_BOOL,     /* bool: true, false */
};

struct setting {
	const char *name; /* "nats-url" */
	enum setting_type type;
	size_t offset;    /* of the field in the program's config struct */
	const char *dflt; /* text form; NULL: required */
	int64_t min, max; /* for numbers; both 0: not checked */
	const char *help; /* one sentence */
};

/* One row of the table: SETTING(struct edge_config, nats_url, "nats-url", SETTING_TEXT, ...) */
#define SETTING(config, field, name, type, dflt, min, max, help)          \
	{                                                                 \
		name, type, offsetof(config, field), dflt, min, max, help \
	}

struct config_spec {
	const char *program;                 /* "ww-edge" */
	const char *summary;                 /* one sentence for --help */
	const struct setting *const *tables; /* NULL-terminated list of tables ... */
	const size_t *table_lens;            /* ... and their lengths */
};

enum config_outcome {
	CONFIG_RUN,   /* go on */
	CONFIG_DONE,  /* --help, --version or --check-config was answered: exit with success */
	CONFIG_WRONG, /* mistakes were printed on standard error: exit with failure */
};

/*
 * Fill `config` (zeroed, a struct that the offsets fit) from environment and flags. Prints what
 * --help, --version and --check-config ask for, and mistakes, itself: nothing runs yet.
 */
enum config_outcome config_load(
    const struct config_spec *spec, void *config, int argc, char **argv) MUST_CHECK;

/* Frees the texts. */
void config_release(const struct config_spec *spec, void *config);

/* "name=value ..." for the start-up log, without secrets and passwords in URLs. */
void config_describe(const struct config_spec *spec, const void *config, struct buf *out);

/* The table as Markdown, for docs/configuration.md; answered by --help-markdown. */
void config_markdown(const struct config_spec *spec, struct buf *out);

#endif
