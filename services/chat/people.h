/* people: whom somebody may write to, and put into rooms. */
#ifndef CHAT_PEOPLE_H
#define CHAT_PEOPLE_H

#include "change.h"

/* Where only friends may: asked before a transaction, which would wait for the answer. */
enum status people_require_friends(struct request *req, const char *field,
    const char *const *others, size_t len, struct err *err) MUST_CHECK;
/* The same of whoever else is in a direct room; nothing of a group, or of no room. */
enum status people_require_friend_in(
    struct request *req, const char *room_id, struct err *err) MUST_CHECK;
/* The direct room with somebody; "" if there is none. */
enum status people_find_direct(struct request *req, const char *other_id, const char **ret_room_id,
    struct err *err) MUST_CHECK;
/* FORBIDDEN, naming the field, if one of them blocks the caller, or the other way round. */
enum status people_require_unblocked(struct change *change, const char *field,
    const char *const *others, size_t len, struct err *err) MUST_CHECK;
/* Another user's id, which may go to clients as it is. */
enum status people_check_other(
    const char *field, const char *id, const char *user_id, struct err *err) MUST_CHECK;

#endif
