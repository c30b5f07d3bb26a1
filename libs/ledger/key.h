/*
 * key: the Ed25519 key that signs heads, in PEM files.
 *
 * The private one is made once (`ww audit key --make`), lies in a file that nobody but its owner
 * may read, and is known to ww-audit alone. Threads: a key is immutable.
 */
#ifndef LEDGER_KEY_H
#define LEDGER_KEY_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

struct ledger_key;

enum { LEDGER_SIGNATURE_LEN = 64, LEDGER_KEY_ID_SIZE = 17 };

/* A fresh one into a file that must not exist yet, with mode 0600. */
enum status ledger_key_make(const char *path, struct err *err) MUST_CHECK;
/*
 * STATUS_INVALID also for a file that anybody else may read or write, or that is another user's.
 * One of root's may be readable to a group: that it is ours alone is up to whoever put it there.
 */
enum status ledger_key_read_private(
    const char *path, struct ledger_key **ret_key, struct err *err) MUST_CHECK;
/* The next public one of a file that is open; *ret_key is NULL at its end. */
enum status ledger_key_next_public(
    FILE *file, const char *path, struct ledger_key **ret_key, struct err *err) MUST_CHECK;
void ledger_key_free(struct ledger_key *key); /* NULL is fine */

/* 16 hex digits of the SHA-256 of the public key. */
const char *ledger_key_id(const struct ledger_key *key);
/* The public half, as PEM. */
void ledger_key_append_public(struct buf *out, const struct ledger_key *key);

/* With a private key. */
void ledger_sign(const struct ledger_key *key, struct bytes data,
    uint8_t ret_signature[static LEDGER_SIGNATURE_LEN]);
bool ledger_is_signed(const struct ledger_key *key, struct bytes data,
    const uint8_t signature[static LEDGER_SIGNATURE_LEN]);

#endif
