/*
 * audit_heads: the signed heads of all places where they are kept, sorted, without those that are
 * not signed with one of the keys.
 */
#ifndef CLI_AUDIT_HEADS_H
#define CLI_AUDIT_HEADS_H

#include "base/buf.h"
#include "ledger/keys.h"

enum audit_place { AUDIT_IN_TABLE, AUDIT_IN_FILE, AUDIT_IN_STREAM, AUDIT_PLACES };

struct audit_heads {
	const struct ledger_keys *keys;
	struct buf heads;                          /* an array of struct audit_head */
	size_t read[AUDIT_PLACES];                 /* that are signed */
	size_t forged[AUDIT_PLACES];               /* that are not */
	size_t strange[AUDIT_PLACES];              /* by a key that was not given */
	struct ledger_head stranger[AUDIT_PLACES]; /* the first of them */
	size_t illegible[AUDIT_PLACES]; /* lines that are none: a crash may cut one off */
};

struct audit_head {
	struct ledger_head head;
	enum audit_place place;
	size_t key; /* its place among the keys */
};

void audit_heads_init(struct audit_heads *heads, const struct ledger_keys *keys);
void audit_heads_finish(struct audit_heads *heads);

void audit_heads_add(
    struct audit_heads *heads, enum audit_place place, const struct ledger_head *head);
void audit_heads_add_line(struct audit_heads *heads, enum audit_place place, struct bytes line);
enum status audit_heads_read_file(
    struct audit_heads *heads, const char *path, struct err *err) MUST_CHECK;

/* By shard, number, kind and place. */
const struct audit_head *audit_heads_sort(struct audit_heads *heads, size_t *ret_len);

#endif
