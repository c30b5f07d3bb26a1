/*
 * address: IP addresses and sets of networks, as plain numbers.
 *
 * IPv4 is held as IPv6 holds it (::ffff:a.b.c.d), so an address has one form however it was
 * written, and a network of one family holds none of the other. Pure; nothing is resolved.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/bytes.h"
#include "base/err.h"

enum { ADDRESS_BYTES = 16 };

struct address {
	uint8_t bytes[ADDRESS_BYTES];
};

/* "192.0.2.1" or "2001:db8::1", and nothing around it. */
bool address_parse(struct bytes text, struct address *ret_address) MUST_CHECK;
bool address_is_v4(const struct address *address);

struct networks;

/*
 * Networks (10.0.0.0/8, 2001:db8::/32) or single addresses, apart by commas or spaces; "" is none.
 * Fails with INVALID, naming the entry; one with bits behind its prefix is taken for a mistake.
 */
enum status networks_new(
    const char *text, struct networks **ret_networks, struct err *err) MUST_CHECK;
void networks_free(struct networks *networks); /* NULL is fine */

bool networks_have(const struct networks *networks, const struct address *address);

#endif
