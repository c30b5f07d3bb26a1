/*
 * hello: the address of a NATS server, judged before nats.c has it.
 *
 * nats.c 3.4.1 reads and writes one TLS session from two threads without a lock, and begins one
 * unasked with a server that wants it. So neither an address nor a server may lead there.
 */
#ifndef BUS_HELLO_H
#define BUS_HELLO_H

#include "base/err.h"

/* One address or several with commas between them; STATUS_INVALID for what is not plain NATS. */
enum status hello_check_url(const char *url, struct err *err) MUST_CHECK;

/*
 * Asks each server that answers within half a second: STATUS_INVALID, with the way out, for one
 * that takes nobody without TLS. Servers that are not there have nothing against it.
 */
enum status hello_check_servers(const char *url, struct err *err) MUST_CHECK;

#endif
