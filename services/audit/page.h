/* page: which part of an answer is asked for, as requests and replies say it. */
#ifndef AUDIT_PAGE_H
#define AUDIT_PAGE_H

#include "base/arena.h"
#include "store.h"

/* `until_us` 0: until now. INVALID, naming the field, for times and cursors that are none. */
enum status page_read(int64_t since_us, int64_t until_us, const char *after, int64_t max,
    struct store_page *ret_page, struct err *err) MUST_CHECK;
/* The cursor behind this record, in the arena. */
char *page_next(const struct store_record *last, struct arena *arena);

#endif
