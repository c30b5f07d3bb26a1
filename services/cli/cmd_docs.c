/* ww docs: the generated pages of docs/. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "docs.h"
#include "options.h"

static void print_pages(FILE *out, const struct option_list *operands)
{
	(void)operands;
	(void)fputs("\npages:\n", out);
	for (size_t i = 0; i < docs_pages_len; i++)
		(void)fprintf(out, "  %-10s %s\n", docs_pages[i].name, docs_pages[i].title);
}

static const struct option_row rows[] = { { .name = NULL } };

static const struct usage usage = {
	.command = "docs",
	.operands = "PAGE",
	.operands_max = 1,
	.help = "Prints a page of docs/ that follows from the tables in proto/, as Markdown:\n"
		"\n"
		"  ww docs subjects > docs/subjects.md",
	.rows = rows,
	.epilogue = print_pages,
};

enum cli_exit cmd_docs(int argc, char **argv)
{
	struct option_list operands;
	enum cli_exit code;
	struct buf page = BUF_INIT;
	char no_options;

	if (!cli_options(&usage, &no_options, &operands, argc, argv, &code))
		return code;
	for (size_t i = 0; i < docs_pages_len && operands.len; i++) {
		if (strcmp(docs_pages[i].name, operands.at[0]) != 0)
			continue;
		docs_append(&page, &docs_pages[i]);
		(void)fputs(buf_str(&page), stdout);
		buf_finish(&page);
		return CLI_OK;
	}
	return cli_misused("docs", "%s: no such page", operands.len ? operands.at[0] : "(nothing)");
}
