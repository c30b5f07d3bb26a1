/* scale: prints the tables of docs/scaling.md, all or those that are named. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static int usage(FILE *to)
{
	(void)fprintf(to,
	    "usage: scale [TABLE...]\n\nPrints tables of docs/scaling.md, always the same; all "
	    "of them when none is named:\n");
	for (size_t i = 0; i < sim_tables_len; i++)
		(void)fprintf(to, "  %s\n", sim_tables[i].name);
	return to == stdout ? EXIT_SUCCESS : 2;
}

static const struct sim_table *find(const char *name)
{
	for (size_t i = 0; i < sim_tables_len; i++) {
		if (strcmp(sim_tables[i].name, name) == 0)
			return &sim_tables[i];
	}
	return NULL;
}

static void print(const struct sim_table *table)
{
	struct buf out = BUF_INIT;

	table->write(&out);
	(void)printf("%s\n%s\n", table->name, buf_str(&out));
	buf_finish(&out);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return usage(stdout);
		if (!find(argv[i]))
			return usage(stderr);
	}
	for (int i = 1; i < argc; i++)
		print(find(argv[i]));
	for (size_t i = 0; argc == 1 && i < sim_tables_len; i++)
		print(&sim_tables[i]);
	return EXIT_SUCCESS;
}
