/*
 * subject: ids inside NATS subjects.
 *
 * nats.c sends a subject as it is given: a space, a dot, a wildcard or a line break in an id would
 * forge another subject or another command. So every id goes through one injective encoding: bytes
 * outside [A-Za-z0-9_-] become =XX (two upper-case hex digits). An encoded id is one token.
 */
#ifndef BASE_SUBJECT_H
#define BASE_SUBJECT_H

#include "base/bytes.h"
#include "base/err.h"

enum {
	SUBJECT_ID_MAX = 128, /* bytes of an id before encoding */
	SUBJECT_TOKEN_SIZE = 3 * SUBJECT_ID_MAX + 1,
	SUBJECT_SIZE = SUBJECT_TOKEN_SIZE + 64, /* any subject of ours with one id in it */
};

/* Encode 1 to SUBJECT_ID_MAX bytes. Fails with STATUS_INVALID for other lengths. */
enum status subject_encode(
    struct bytes id, char ret_token[static SUBJECT_TOKEN_SIZE], struct err *err) MUST_CHECK;

/* STATUS_INVALID, naming the field, for an id that can't be encoded. */
enum status subject_check_id(const char *field, const char *id, struct err *err) MUST_CHECK;

/* The reverse. Fails with STATUS_INVALID for what subject_encode() can't have produced. */
enum status subject_decode(struct bytes token, char ret_id[static SUBJECT_ID_MAX + 1],
    size_t *ret_len, struct err *err) MUST_CHECK;

/* "<prefix><encoded id>"; `prefix` is a literal of ours that ends in a dot. */
enum status subject_with_id(const char *prefix, const char *id,
    char ret_subject[static SUBJECT_SIZE], struct err *err) MUST_CHECK;

#endif
