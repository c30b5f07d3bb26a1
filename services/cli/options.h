/*
 * options: the command line of one command, declared as a table.
 *
 * From the table come parsing, defaults from the environment, and --help. Values land in the
 * command's own struct by their offsets. Texts are borrowed from argv and the environment, so
 * nothing is freed.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum { OPTION_LIST_MAX = 256, OPTION_ROWS_MAX = 24 };

enum option_type {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char * */
	OPTION_LIST,     /* struct option_list: may be given many times */
	OPTION_INT,      /* int64_t, within [min, max] */
	OPTION_DURATION, /* int64_t milliseconds: "90s", "1h", "7d"; within [min, max] ms */
	OPTION_SIZE,     /* int64_t bytes: "64KiB", "1GiB", "1000000"; within [min, max] bytes */
};

struct option_list {
	const char *at[OPTION_LIST_MAX];
	size_t len;
};

struct option_row {
	const char *name; /* "user": given as --user VALUE; NULL ends a table */
	enum option_type type;
	size_t offset;
	const char *env;  /* where a missing one comes from; NULL: nowhere */
	const char *dflt; /* text form; NULL: false, NULL or 0 */
	int64_t min, max;
	const char *value; /* what --help calls the value: "ID" */
	const char *help;
};

/* What a command accepts. `rows` may come in two tables: its own and the shared connection's. */
struct usage {
	const char *command;  /* "publish" */
	const char *operands; /* "[TYPE]" for --help */
	size_t operands_max;
	const char *help; /* what it does, and examples */
	const struct option_row *rows;
	const struct option_row *more_rows; /* may be NULL */
	/* Printed at the end of --help, with the operands given so far. May be NULL. */
	void (*epilogue)(FILE *out, const struct option_list *operands);
};

enum options_outcome {
	OPTIONS_RUN,   /* go on */
	OPTIONS_DONE,  /* --help was answered: exit with success */
	OPTIONS_WRONG, /* the mistake was printed: exit with CLI_USAGE */
};

/* Fills `opt` (zeroed, a struct that the offsets fit) and the operands. */
enum options_outcome options_parse(const struct usage *usage, void *opt,
    struct option_list *ret_operands, int argc, char **argv) MUST_CHECK;

/* One value's text form, as the table above says. For tests. */
enum status options_parse_duration(const char *text, int64_t *ret_ms, struct err *err) MUST_CHECK;
enum status options_parse_size(const char *text, int64_t *ret_bytes, struct err *err) MUST_CHECK;

#endif
