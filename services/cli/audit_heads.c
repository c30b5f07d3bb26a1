/* A line is as good as its signature, wherever it was found. */
#include "audit_heads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "lines.h"

void audit_heads_init(struct audit_heads *heads, const struct ledger_keys *keys)
{
	*heads = (struct audit_heads){ .keys = keys };
}

void audit_heads_finish(struct audit_heads *heads)
{
	buf_finish(&heads->heads);
}

void audit_heads_add(
    struct audit_heads *heads, enum audit_place place, const struct ledger_head *head)
{
	struct audit_head added = { *head, place, 0 };

	switch (ledger_keys_judge(heads->keys, head, &added.key)) {
	case LEDGER_SIGNED:
		heads->read[place]++;
		buf_append(&heads->heads, &added, sizeof(added));
		break;
	case LEDGER_FORGED:
		heads->forged[place]++;
		break;
	case LEDGER_STRANGER:
		if (heads->strange[place]++ == 0)
			heads->stranger[place] = *head;
		break;
	}
}

void audit_heads_add_line(struct audit_heads *heads, enum audit_place place, struct bytes line)
{
	struct ledger_head head;
	struct err err = ERR_INIT;

	if (line.len == 0)
		return;
	if (ledger_head_parse(line, &head, &err))
		heads->illegible[place]++;
	else
		audit_heads_add(heads, place, &head);
}

enum status audit_heads_read_file(struct audit_heads *heads, const char *path, struct err *err)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct bytes line = { 0 };
	bool more = true;
	enum status s = STATUS_OK;

	if (fd < 0)
		s = err_set(err, STATUS_INVALID, "--heads %s: %s", path, strerror(errno));
	else
		lines_init(lines, fd, LEDGER_HEAD_MAX);
	while (!s && more) {
		s = lines_next(lines, &line, &more, err);
		if (s == STATUS_TOO_LARGE) {
			heads->illegible[AUDIT_IN_FILE]++;
			s = STATUS_OK;
		} else if (!s && more) {
			audit_heads_add_line(heads, AUDIT_IN_FILE, line);
		}
	}
	if (fd >= 0) {
		lines_finish(lines);
		(void)close(fd);
	}
	free(lines);
	return s;
}

static int by_number(const void *a, const void *b)
{
	const struct audit_head *one = a, *other = b;

	if (one->head.shard != other->head.shard)
		return one->head.shard < other->head.shard ? -1 : 1;
	if (one->head.number != other->head.number)
		return one->head.number < other->head.number ? -1 : 1;
	if (one->head.kind != other->head.kind)
		return (int)one->head.kind - (int)other->head.kind;
	return (int)one->place - (int)other->place;
}

const struct audit_head *audit_heads_sort(struct audit_heads *heads, size_t *ret_len)
{
	*ret_len = heads->heads.len / sizeof(struct audit_head);
	if (*ret_len > 0)
		qsort(heads->heads.data, *ret_len, sizeof(struct audit_head), by_number);
	return (const struct audit_head *)(const void *)heads->heads.data;
}
