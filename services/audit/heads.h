/*
 * heads: signs how far the chains have got, and tells it in three places: the table, a file and a
 * stream, so that whoever rewrites the table has two more to reach, and no key.
 *
 * Threads: one, the writer's.
 */
#ifndef AUDIT_HEADS_H
#define AUDIT_HEADS_H

#include "bus/bus.h"
#include "config.h"
#include "store.h"

struct heads;

/* Reads the key and opens the file: fails for what can't be used. */
enum status heads_open(const struct audit_config *cfg, struct bus *bus, struct heads **ret_heads,
    struct err *err) MUST_CHECK;
void heads_close(struct heads *heads); /* NULL is fine */

/* Was it signed with this key, or with one before it? */
bool heads_is_mine(const struct heads *heads, const struct ledger_head *head);
/* The id of the key that signs. */
const char *heads_key_id(const struct heads *heads);
/* This shard's newest one is known: from here on rows and time are counted. */
void heads_resume(struct heads *heads, int64_t shard, int64_t number);

/* Has the chain grown so far, or for so long, that one has to be signed? `at_once`: at all? */
bool heads_is_due(
    const struct heads *heads, int64_t shard, const struct ledger_chain *chain, bool at_once);
/* Signs one and tells it everywhere; goes on where one place fails, which is counted. */
enum status heads_tell(struct heads *heads, struct db *db, int64_t shard,
    const struct ledger_chain *chain, struct err *err) MUST_CHECK;
/* The same for an anchor or a loss, of which kind, shard, number and hash are set. */
enum status heads_tell_other(
    struct heads *heads, struct db *db, struct ledger_head *head, struct err *err) MUST_CHECK;

#endif
