/* signature: does a key vouch for these bytes? Internal to libs/token. */
#ifndef TOKEN_SIGNATURE_H
#define TOKEN_SIGNATURE_H

#include "token/gate.h"
#include "token/keys.h"

/* `token` is the text that `open` was made from; `sha256` is fetched once by the caller. */
bool signature_is_good(const struct key *key, const EVP_MD *sha256, struct bytes token,
    const struct gate_token *open) MUST_CHECK;

#endif
