/*
 * bench_connects: how many clients a second a Socket.IO server signs in, each another user with a
 * token of its own.
 *
 * Knows nothing of the system but Socket.IO. Tokens come from a file, one a line: making them is no
 * work of the server's. Measured from the first connection to the last CONNECT that is answered,
 * IN_FLIGHT at a time. Start it through `./dev bench connects`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "client.h"
#include "usage.h"

enum { GIVE_UP_MS = 120000, TOKENS_MAX = 1000000 };

struct tokens {
	char **at;
	size_t len;
};

static void tokens_read(struct tokens *tokens, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	if (!file) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
	tokens->at = xcalloc(TOKENS_MAX, sizeof(*tokens->at));
	while (tokens->len < TOKENS_MAX && (len = getline(&line, &size, file)) > 1) {
		line[len - 1] = '\0';
		tokens->at[tokens->len++] = xstrdup(line);
	}
	free(line);
	(void)fclose(file);
}

static void tokens_free(struct tokens *tokens)
{
	for (size_t i = 0; i < tokens->len; i++)
		free(tokens->at[i]);
	free(tokens->at);
}

static const char *token_of(void *arg, size_t index)
{
	const struct tokens *tokens = arg;

	return tokens->at[index];
}

int main(int argc, char **argv)
{
	struct tokens tokens = { 0 };
	struct bench_usage usage, own;
	struct bench_pool pool;
	int64_t started_us, took_us;
	bool ok;

	if (argc != 5) {
		(void)fprintf(
		    stderr, "usage: bench_connects PORT TOKENS_FILE IN_FLIGHT NAME=PID,...\n");
		return 2;
	}
	tokens_read(&tokens, argv[2]);
	bench_usage_init(&usage, argv[4]);
	bench_usage_init_self(&own);
	bench_pool_init(&pool, (int)strtol(argv[1], NULL, 10), tokens.len);
	pool.token = token_of;
	pool.arg = &tokens;
	bench_usage_mark(&usage);
	bench_usage_mark(&own);
	started_us = clock_mono_us();
	ok = bench_pool_connect(&pool, strtoul(argv[3], NULL, 10), GIVE_UP_MS);
	took_us = clock_mono_us() - started_us;
	bench_usage_read(&usage);
	bench_usage_read(&own);
	(void)printf("{\"sockets\":%zu,\"wanted\":%zu,\"seconds\":%.2f,\"perSecond\":%.0f,",
	    pool.ready, tokens.len, (double)took_us / 1e6,
	    (double)pool.ready * 1e6 / (double)took_us);
	bench_usage_print(&usage, pool.ready);
	/* Near 1: what is measured is the bench. */
	(void)printf(",\"benchCpu\":%.2f}\n", (double)own.at[0].cpu_us / (double)took_us);
	bench_pool_finish(&pool);
	tokens_free(&tokens);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
