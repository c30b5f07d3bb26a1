/* Chunks from read(2), cut at line breaks. */
#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

void lines_init(struct lines *lines, int fd, size_t max)
{
	lines->fd = fd;
	lines->max = max;
	lines->number = 0;
	lines->at = lines->len = 0;
	lines->ended = false;
	lines->line = (struct buf)BUF_INIT;
}

void lines_finish(struct lines *lines)
{
	buf_finish(&lines->line);
}

static enum status fill(struct lines *lines, struct err *err)
{
	ssize_t n;

	do {
		n = read(lines->fd, lines->chunk, sizeof(lines->chunk));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, STATUS_UNAVAILABLE, "read: %s", strerror(errno));
	lines->at = 0;
	lines->len = (size_t)n;
	lines->ended = n == 0;
	return STATUS_OK;
}

enum status lines_next(struct lines *lines, struct bytes *ret_line, bool *ret_more, struct err *err)
{
	bool started = false, too_long = false, complete = false;

	lines->line.len = 0;
	while (!complete) {
		const char *from, *end;
		size_t n;

		if (lines->at == lines->len) {
			enum status s = fill(lines, err);

			if (s)
				return s;
			if (lines->ended)
				break;
		}
		from = lines->chunk + lines->at;
		end = memchr(from, '\n', lines->len - lines->at);
		n = end ? (size_t)(end - from) : lines->len - lines->at;
		started = true;
		complete = end != NULL;
		lines->at += n + complete;
		too_long = too_long || lines->line.len + n > lines->max;
		if (!too_long)
			buf_append(&lines->line, from, n);
	}
	*ret_more = started;
	*ret_line = buf_bytes(&lines->line);
	if (!started)
		return STATUS_OK;
	lines->number++;
	if (too_long)
		return err_set(err, STATUS_TOO_LARGE, "longer than %zu bytes", lines->max);
	return STATUS_OK;
}

bool lines_must_wait(const struct lines *lines)
{
	struct pollfd pfd = { .fd = lines->fd, .events = POLLIN };
	size_t left = lines->len - lines->at;

	if (left > 0 && memchr(lines->chunk + lines->at, '\n', left))
		return false;
	return poll(&pfd, 1, 0) == 0;
}
