/* value: the text form of each type of setting, both ways. Internal to libs/config. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/config.h"

enum { SETTING_NAME_MAX = 64, SETTING_ENV_SIZE = 3 + SETTING_NAME_MAX + 6 };

/* Check `text` and put it into its field (texts are copied). `why` says what is wrong with it. */
enum status value_parse(
    const struct setting *setting, const char *text, void *config, struct err *why) MUST_CHECK;

/* A number as one would write it for a setting of this type: "5s", "64KiB". */
void value_format(enum setting_type type, int64_t n, struct buf *out);

/* What stands for a value in --help: "<duration>". */
const char *value_type_name(enum setting_type type);

bool value_is_text(enum setting_type type);

/* "nats-url" -> "WW_NATS_URL" */
void setting_env(const struct setting *setting, char ret_env[static SETTING_ENV_SIZE]);

#endif
