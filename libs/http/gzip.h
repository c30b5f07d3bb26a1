/* gzip: whole bodies, made smaller once and sent often. The only door to zlib. */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include "base/buf.h"

/* Append `data` as one gzip member, at the best compression: for what is made ahead of time. */
void http_gzip_append(struct buf *out, struct bytes data);

#endif
