/*
 * cached: what a client may have already, and in which coding it takes the rest (RFC 9110 sections
 * 8.8.3, 12.5.3 and 13.1.2). Pure: header values in, answers out; NULL stands for an absent header.
 */
#ifndef HTTP_CACHED_H
#define HTTP_CACHED_H

#include <stdbool.h>

#include "base/attrs.h"
#include "base/bytes.h"

/* A strong entity tag of some bytes: 32 hexadecimal digits of their SHA-256 in quotes, and a NUL.
 * `suffix` tells representations of one thing apart, and is at most 8 characters. */
enum { HTTP_ETAG_SUFFIX_MAX = 8, HTTP_ETAG_SIZE = 1 + 32 + HTTP_ETAG_SUFFIX_MAX + 1 + 1 };
void http_etag(struct bytes data, const char *suffix, char ret_etag[static HTTP_ETAG_SIZE]);

/* Is the client's copy this one? `*`, or a list of tags, weak ones too; what is malformed matches
 * nothing. */
bool http_none_match_has(const char *if_none_match, const char *etag);

/* Does the client take gzip? By its name or `*`, unless with q=0; what is malformed is no. */
bool http_accepts_gzip(const char *accept_encoding);

#endif
