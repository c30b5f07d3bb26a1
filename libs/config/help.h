/* help: what --help says. Internal to libs/config. */
#ifndef CONFIG_HELP_H
#define CONFIG_HELP_H

#include "config/config.h"

void help_text(const struct config_spec *spec, struct buf *out);

#endif
