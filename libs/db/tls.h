/*
 * tls: what libpq leaves unsaid about TLS.
 *
 * How a connection is protected is in the connection string, in libpq's own words (sslmode,
 * sslrootcert, sslcert, sslkey, sslcrl). libpq goes on without a file that is not there: without
 * looking at revocations, without a certificate of its own, or without judging the server's. So
 * whoever names one has it checked here before each connection is made.
 */
#ifndef DB_TLS_H
#define DB_TLS_H

#include <libpq-fe.h>

#include "base/err.h"

/* STATUS_INVALID, with the parameter's name, for what would protect less than it says. */
enum status tls_check(const PQconninfoOption *parsed, struct err *err) MUST_CHECK;

/* Has TLS bytes that the socket will not tell of? False without TLS. */
bool tls_has_more(PGconn *conn);

#endif
