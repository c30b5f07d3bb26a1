/*
 * mac: a short proof that a text is ours: HMAC-SHA256 (RFC 2104), cut to 120 bits, in the
 * characters of ids.
 *
 * Threads: any.
 */
#ifndef TOKEN_MAC_H
#define TOKEN_MAC_H

#include "base/bytes.h"
#include "base/id.h"

/* `key` may have any length but 0. */
void mac_make(struct bytes key, struct bytes text, char ret_mac[static ID_SIZE]);

/* Compares in constant time. */
bool mac_is(struct bytes key, struct bytes text, const char *mac);

#endif
