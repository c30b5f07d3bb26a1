/*
 * id: unguessable names. Characters are those of base64url (RFC 4648 section 5), so an id is safe
 * in a URL, a NATS subject token and a file name.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stddef.h>
#include <stdint.h>

/* The characters of an id, in the order of base64url. */
#define ID_ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

enum {
	ID_LEN = 20, /* 120 random bits */
	ID_SIZE = ID_LEN + 1,
};

/* A fresh id, NUL-terminated. */
void id_random(char ret_id[static ID_SIZE]);

/* Fills with bytes of the kernel's random generator. */
void random_bytes(void *ret_data, size_t len);

/* Uniform in [0, below). For jitter. `below` > 0. */
uint64_t random_below(uint64_t below);

#endif
