/*
 * lines: a file descriptor, read line by line without trusting it: a line longer than the limit is
 * skipped, not stored.
 */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include "base/buf.h"
#include "base/err.h"

enum { LINES_CHUNK = 65536 };

struct lines {
	int fd;
	size_t max;    /* bytes of one line */
	size_t number; /* of the line returned last, from 1 */
	size_t at, len;
	bool ended;
	struct buf line;
	char chunk[LINES_CHUNK];
};

void lines_init(struct lines *lines, int fd, size_t max);
void lines_finish(struct lines *lines); /* leaves the descriptor open */

/*
 * The next line without its line break, borrowed until the next call. At the end: STATUS_OK with
 * *ret_more false. STATUS_TOO_LARGE: this line was skipped, go on. STATUS_UNAVAILABLE: can't be
 * read.
 */
enum status lines_next(
    struct lines *lines, struct bytes *ret_line, bool *ret_more, struct err *err) MUST_CHECK;

/* Would lines_next() have to wait for whoever writes? */
bool lines_must_wait(const struct lines *lines);

#endif
