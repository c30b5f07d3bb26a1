/* A look at every shard, four times a second. */
#include "audit_tail.h"

#include <poll.h>
#include <stdio.h>

#include "audit_store.h"
#include "base/message.h"
#include "cli.h"
#include "ledger/record.h"
#include "walletwire/v1/audit.pb-c.h"

enum { LOOK_MS = 250, PAGE = 500 };

static void print_row(int64_t shard, const struct ledger_row *row, struct arena *arena)
{
	Walletwire__V1__AuditStored *stored = MESSAGE_NEW(arena, audit_stored);

	stored->shard = (uint32_t)shard;
	stored->number = (uint64_t)row->number;
	stored->stored_at = message_timestamp(row->stored_us, arena);
	stored->record = ledger_record_unpack(row->record, arena);
	cli_print_json(&stored->base);
}

static enum status look(
    struct db *db, int64_t shard, struct ledger_chain *end, struct arena *arena, struct err *err)
{
	struct audit_page page = { .len = PAGE };
	enum status s = STATUS_OK;

	while (page.len == PAGE && !s) {
		arena_reset(arena);
		s = audit_store_page(db, shard, end, PAGE, arena, &page, err);
		for (size_t i = 0; i < page.len && !s; i++) {
			print_row(shard, &page.rows[i], arena);
			end->number = page.rows[i].number;
			end->stored_us = page.rows[i].stored_us;
		}
	}
	return s;
}

static enum status look_at_all(struct db *db, struct ledger_chain ends[static AUDIT_SHARDS_MAX],
    struct arena *arena, struct err *err)
{
	enum status s = STATUS_OK;

	for (int64_t shard = 0; shard < AUDIT_SHARDS_MAX && !s; shard++)
		s = look(db, shard, &ends[shard], arena, err);
	(void)fflush(stdout); /* also into a pipe, at once */
	return s;
}

static enum status follow(struct db *db, int signal_fd, struct arena *arena, struct err *err)
{
	struct ledger_chain ends[AUDIT_SHARDS_MAX] = { { 0 } };
	struct pollfd end = { .fd = signal_fd, .events = POLLIN };
	enum status s = STATUS_OK;

	for (int64_t shard = 0; shard < AUDIT_SHARDS_MAX && !s; shard++)
		s = audit_store_end(db, shard, &ends[shard], err);
	if (!s)
		(void)fputs("following\n", stderr);
	/* Nobody reads any more: as good as Ctrl-C. SIGPIPE does not tell, nats.c ignores it. */
	while (!s && !ferror(stdout) && poll(&end, 1, LOOK_MS) == 0)
		s = look_at_all(db, ends, arena, err);
	return s || ferror(stdout) ? s : look_at_all(db, ends, arena, err);
}

enum status audit_tail(struct db *db, int signal_fd, struct err *err)
{
	struct arena arena;
	enum status s;

	arena_init(&arena, SIZE_MAX);
	s = follow(db, signal_fd, &arena, err);
	arena_finish(&arena);
	return s;
}
