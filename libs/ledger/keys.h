/*
 * keys: the public keys that heads were signed with, in the order in which they followed each
 * other.
 *
 * A key that was changed stays good for the heads that it has signed, and for none behind the first
 * one of its successor: whoever got hold of it can't go on.
 *
 * Threads: once read, immutable.
 */
#ifndef LEDGER_KEYS_H
#define LEDGER_KEYS_H

#include "ledger/head.h"

struct ledger_keys;

enum { LEDGER_KEYS_MAX = 256 };

struct ledger_keys *ledger_keys_new(void);
void ledger_keys_free(struct ledger_keys *keys); /* NULL is fine */

/* Adds those of a file, PEM behind PEM, the oldest first; one that is there already keeps its
 * place. STATUS_INVALID for a file without any. */
enum status ledger_keys_read(
    struct ledger_keys *keys, const char *path, struct err *err) MUST_CHECK;

/* The place of the key with this id among them, from 0 on; false if there is none. */
bool ledger_keys_find(const struct ledger_keys *keys, const char *id, size_t *ret_place);

enum ledger_signer {
	LEDGER_SIGNED,
	LEDGER_STRANGER, /* by a key that is not among these */
	LEDGER_FORGED,   /* by nobody: the signature is not the named key's */
};
/* Who signed the head; *ret_place is the key's place among them, from 0 on. */
enum ledger_signer ledger_keys_judge(
    const struct ledger_keys *keys, const struct ledger_head *head, size_t *ret_place);

#endif
