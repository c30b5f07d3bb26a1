/*
 * usage: what groups of processes cost: a program with its children (PostgreSQL has one a
 * connection), from /proc.
 */
#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

#include <stddef.h>
#include <stdint.h>

enum { BENCH_GROUPS_MAX = 8 };

struct bench_usage {
	struct {
		char name[32];
		int pid;
		int64_t cpu_us; /* since it was marked */
		long pss_kib;   /* resident, with its share of what several processes map */
	} at[BENCH_GROUPS_MAX];
	size_t len;
	int64_t before_us[BENCH_GROUPS_MAX];
};

/* From "nats=12,postgres=34"; ends the program if there is anything else, or no such process. */
void bench_usage_init(struct bench_usage *usage, const char *text);
void bench_usage_init_self(struct bench_usage *usage); /* of the bench itself */
void bench_usage_mark(struct bench_usage *usage);      /* what was spent so far does not count */
void bench_usage_read(struct bench_usage *usage);
/* "<key>":{"nats":1.2,...,"all":3.4}: milliseconds of CPU for each of so many units. */
void bench_usage_print_cpu(const struct bench_usage *usage, const char *key, double units);
/* "cpuMsPerThousand":{...},"pssMiB":{...} for so many events. */
void bench_usage_print(const struct bench_usage *usage, size_t events);

#endif
