/*
 * friends: who may be written to where only friends may write to each other.
 *
 * ww-presence knows who is whose friend and is asked by request; that two are friends is believed
 * for ten seconds, that they are not is asked again.
 *
 * Threads: any.
 */
#ifndef CHAT_FRIENDS_H
#define CHAT_FRIENDS_H

#include "service/service.h"

struct friends;

struct friends *friends_new(void);
void friends_free(struct friends *friends); /* NULL is fine */

/* FORBIDDEN, naming the field, unless all of them are friends of the user; UNAVAILABLE if nobody
 * can tell. */
enum status friends_require(struct friends *friends, struct request *req, const char *field,
    const char *const *others, size_t len, struct err *err) MUST_CHECK;

#endif
