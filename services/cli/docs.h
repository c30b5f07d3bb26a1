/*
 * docs: pages of docs/ that say what the tables of proto/ say. They are generated, committed and
 * checked for freshness, so they can't drift.
 */
#ifndef CLI_DOCS_H
#define CLI_DOCS_H

#include "base/buf.h"

struct docs_page {
	const char *name;  /* "subjects": docs/subjects.md, `ww docs subjects` */
	const char *title; /* one line */
	void (*append)(struct buf *out);
};

extern const struct docs_page docs_pages[];
extern const size_t docs_pages_len;

/* The page as Markdown, with its heading and the note that it is generated. */
void docs_append(struct buf *out, const struct docs_page *page);

#endif
