/* One write(2) a line, behind what is there. */
#include "heads.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "bus/provision.h"
#include "ledger/keys.h"
#include "stats.h"

#define SUBJECT "ww.heads.audit"

struct heads {
	const struct audit_config *cfg;
	struct bus *bus;
	struct ledger_key *key;
	struct ledger_keys *earlier;
	int fd;
	struct {
		int64_t number;  /* of the newest one */
		int64_t told_ms; /* of the monotonic clock */
	} last[SHARDS_MAX];
};

static enum status fail_file(const struct heads *heads, struct err *err)
{
	return err_set(
	    err, STATUS_UNAVAILABLE, "heads-file %s: %s", heads->cfg->heads_file, strerror(errno));
}

/* What a crash has cut off stays a line of its own. */
static enum status end_last_line(struct heads *heads, struct err *err)
{
	off_t size = lseek(heads->fd, 0, SEEK_END);
	char last = '\n';

	if (size < 0 || (size > 0 && pread(heads->fd, &last, 1, size - 1) != 1) ||
	    (last != '\n' && write(heads->fd, "\n", 1) != 1))
		return fail_file(heads, err);
	return STATUS_OK;
}

static enum status open_file(struct heads *heads, struct err *err)
{
	heads->fd = open(heads->cfg->heads_file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	if (heads->fd < 0)
		return fail_file(heads, err);
	return end_last_line(heads, err);
}

static enum status read_earlier(struct heads *heads, struct err *err)
{
	const char *path = heads->cfg->earlier_keys_file;

	heads->earlier = ledger_keys_new();
	if (!path || !path[0] || !ledger_keys_read(heads->earlier, path, err))
		return STATUS_OK;
	return err_prefix(err, "earlier-keys-file");
}

enum status heads_open(
    const struct audit_config *cfg, struct bus *bus, struct heads **ret_heads, struct err *err)
{
	struct heads *heads = xcalloc(1, sizeof(*heads));
	enum status s;

	heads->cfg = cfg;
	heads->bus = bus;
	heads->fd = -1;
	s = ledger_key_read_private(cfg->signing_key_file, &heads->key, err);
	if (s)
		(void)err_prefix(err, "signing-key-file");
	else
		s = read_earlier(heads, err);
	if (!s)
		s = open_file(heads, err);
	if (s) {
		heads_close(heads);
		return s;
	}
	*ret_heads = heads;
	return STATUS_OK;
}

void heads_close(struct heads *heads)
{
	if (!heads)
		return;
	if (heads->fd >= 0)
		(void)close(heads->fd);
	ledger_keys_free(heads->earlier);
	ledger_key_free(heads->key);
	free(heads);
}

bool heads_is_mine(const struct heads *heads, const struct ledger_head *head)
{
	size_t place, ours;

	if (ledger_head_is_good(head, heads->key))
		return true;
	if (ledger_keys_judge(heads->earlier, head, &place) != LEDGER_SIGNED)
		return false;
	/* Ours was given up for that one: what we would add could never be verified. */
	return !ledger_keys_find(heads->earlier, ledger_key_id(heads->key), &ours) || place < ours;
}

const char *heads_key_id(const struct heads *heads)
{
	return ledger_key_id(heads->key);
}

void heads_resume(struct heads *heads, int64_t shard, int64_t number)
{
	heads->last[shard].number = number;
	heads->last[shard].told_ms = clock_mono_ms();
}

bool heads_is_due(
    const struct heads *heads, int64_t shard, const struct ledger_chain *chain, bool at_once)
{
	int64_t rows = chain->number - heads->last[shard].number;
	int64_t ms = clock_mono_ms() - heads->last[shard].told_ms;

	return rows >= heads->cfg->heads_rows ||
	       (rows > 0 && (at_once || ms >= heads->cfg->heads_interval));
}

static enum status append(struct heads *heads, const struct buf *line, struct err *err)
{
	ssize_t written = write(heads->fd, line->data, line->len);

	if (written >= 0 && (size_t)written < line->len)
		errno = ENOSPC;
	if (written != (ssize_t)line->len || fdatasync(heads->fd) != 0)
		return fail_file(heads, err);
	return STATUS_OK;
}

static enum status publish(
    struct heads *heads, const struct ledger_head *head, const struct buf *line, struct err *err)
{
	struct bus_ack ack;
	char id[80];

	(void)snprintf(id, sizeof(id), "%s-%" PRId64 "-%" PRId64, ledger_head_word(head->kind),
	    head->shard, head->number);
	return bus_publish_stored(
	    heads->bus, SUBJECT, id, bytes_of(line->data, line->len - 1), NULL, &ack, err);
}

/* Of what went wrong the first is told. */
static void keep_first(enum status s, const struct err *why, struct err *err)
{
	if (s && !err->status)
		*err = *why;
}

static enum status tell(
    struct heads *heads, struct db *db, struct ledger_head *head, struct err *err)
{
	struct err why = ERR_INIT;
	struct buf line = BUF_INIT;

	head->at_us = clock_wall_us();
	ledger_head_sign(head, heads->key);
	ledger_head_append(&line, head);
	buf_append_char(&line, '\n');
	keep_first(store_add_head(db, head, &why), &why, err);
	keep_first(append(heads, &line, &why), &why, err);
	keep_first(publish(heads, head, &line, &why), &why, err);
	buf_finish(&line);
	stats_count(err->status ? STATS_HEADS_FAILED : STATS_HEADS, 1);
	return err->status;
}

enum status heads_tell(struct heads *heads, struct db *db, int64_t shard,
    const struct ledger_chain *chain, struct err *err)
{
	struct ledger_head head = {
		.kind = LEDGER_HEAD, .shard = shard, .number = chain->number, .hash = chain->hash
	};

	/* Also if a place fails: the next one says more. */
	heads_resume(heads, shard, chain->number);
	return tell(heads, db, &head, err);
}

enum status heads_tell_other(
    struct heads *heads, struct db *db, struct ledger_head *head, struct err *err)
{
	return tell(heads, db, head, err);
}
