/* Counted per group, so that processes that come and go within one are in the sum. */
#include "usage.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct process {
	int parent;
	long long ticks, ticks_of_dead_children;
};

static bool read_process(int pid, struct process *ret)
{
	char path[64], line[1024];
	long long own[2], dead[2];
	const char *rest;
	FILE *file;
	bool ok;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	ok = fgets(line, sizeof(line), file) != NULL;
	(void)fclose(file);
	/* The name, in parentheses, may hold anything. */
	rest = ok ? strrchr(line, ')') : NULL;
	if (!rest ||
	    sscanf(rest + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld %lld %lld",
		&ret->parent, &own[0], &own[1], &dead[0], &dead[1]) != 5)
		return false;
	ret->ticks = own[0] + own[1];
	ret->ticks_of_dead_children = dead[0] + dead[1];
	return true;
}

static long read_pss_kib(int pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Pss:", 4) == 0)
			kib = strtol(line + 4, NULL, 10);
	}
	(void)fclose(file);
	return kib;
}

static void add_process(int pid, long long *ticks, long *pss_kib, const struct process *process)
{
	*ticks += process->ticks;
	*pss_kib += read_pss_kib(pid);
}

static int64_t read_group(int root, long *ret_pss_kib)
{
	struct process process = { 0 };
	long long ticks = 0;
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	*ret_pss_kib = 0;
	if (!dir || !read_process(root, &process)) {
		(void)fprintf(stderr, "process %d is gone\n", root);
		exit(EXIT_FAILURE);
	}
	ticks = process.ticks_of_dead_children;
	add_process(root, &ticks, ret_pss_kib, &process);
	while ((entry = readdir(dir))) {
		int pid = (int)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && read_process(pid, &process) && process.parent == root)
			add_process(pid, &ticks, ret_pss_kib, &process);
	}
	(void)closedir(dir);
	return ticks * 1000000 / sysconf(_SC_CLK_TCK);
}

void bench_usage_init(struct bench_usage *usage, const char *text)
{
	int used;

	*usage = (struct bench_usage){ 0 };
	while (*text && usage->len < BENCH_GROUPS_MAX &&
	       sscanf(text, "%31[a-z]=%d%n", usage->at[usage->len].name, &usage->at[usage->len].pid,
		   &used) == 2) {
		text += used;
		text += *text == ',';
		usage->len++;
	}
	if (*text || usage->len == 0) {
		(void)fprintf(stderr, "'%s' is not NAME=PID,...\n", text);
		exit(EXIT_FAILURE);
	}
	bench_usage_mark(usage);
}

void bench_usage_init_self(struct bench_usage *usage)
{
	char group[32];

	(void)snprintf(group, sizeof(group), "bench=%d", (int)getpid());
	bench_usage_init(usage, group);
}

void bench_usage_mark(struct bench_usage *usage)
{
	long ignored;

	for (size_t i = 0; i < usage->len; i++)
		usage->before_us[i] = read_group(usage->at[i].pid, &ignored);
}

void bench_usage_read(struct bench_usage *usage)
{
	for (size_t i = 0; i < usage->len; i++)
		usage->at[i].cpu_us =
		    read_group(usage->at[i].pid, &usage->at[i].pss_kib) - usage->before_us[i];
}

void bench_usage_print_cpu(const struct bench_usage *usage, const char *key, double units)
{
	int64_t cpu_us = 0;

	(void)printf("\"%s\":{", key);
	for (size_t i = 0; i < usage->len; i++) {
		(void)printf(
		    "\"%s\":%.1f,", usage->at[i].name, (double)usage->at[i].cpu_us / 1000 / units);
		cpu_us += usage->at[i].cpu_us;
	}
	(void)printf("\"all\":%.1f}", (double)cpu_us / 1000 / units);
}

void bench_usage_print(const struct bench_usage *usage, size_t events)
{
	long pss_kib = 0;

	bench_usage_print_cpu(usage, "cpuMsPerThousand", (double)events / 1000);
	(void)printf(",\"pssMiB\":{");
	for (size_t i = 0; i < usage->len; i++) {
		(void)printf(
		    "\"%s\":%.1f,", usage->at[i].name, (double)usage->at[i].pss_kib / 1024);
		pss_kib += usage->at[i].pss_kib;
	}
	(void)printf("\"all\":%.1f}", (double)pss_kib / 1024);
}
