/* nats_config: what the two writers of nats-server's configuration share; of libs/bus alone. */
#ifndef BUS_NATS_CONFIG_H
#define BUS_NATS_CONFIG_H

#include "base/buf.h"

/* A string of the configuration's language, in quotes. */
void nats_quote(struct buf *out, const char *text);

#endif
