/* claims: the JSON body of a token, from what the command line says. */
#ifndef CLI_CLAIMS_H
#define CLI_CLAIMS_H

#include "base/buf.h"
#include "options.h"

struct claims_request {
	const char *user, *issuer, *audience; /* issuer and audience may be NULL */
	int64_t now_s, ttl_s;
	struct option_list extra; /* "name=value": added, or instead of the claim of that name */
};

/* Appends an object with sub, iat, exp, jti, iss and aud, as far as `extra` does not name them
 * itself. */
enum status claims_append(
    struct buf *out, const struct claims_request *request, struct err *err) MUST_CHECK;

#endif
