/*
 * Runs a target over files, for the compilers that have no libFuzzer: every file of the folders
 * that are named, or the files themselves. A folder that is not there is an empty one.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "fuzz.h"

static size_t replayed;

static void fail(const char *path)
{
	perror(path);
	exit(EXIT_FAILURE);
}

/* From memory of exactly its size, so that a sanitizer sees the first byte behind it. */
static void replay_file(const char *path, size_t size)
{
	uint8_t *data = xmalloc(size);
	FILE *file = fopen(path, "rb");

	if (!file || fread(data, 1, size, file) != size)
		fail(path);
	(void)fclose(file);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	replayed++;
}

static void replay(const char *path)
{
	struct stat st;
	struct dirent *entry;
	DIR *dir;

	if (stat(path, &st) != 0) {
		if (errno != ENOENT)
			fail(path);
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path, (size_t)st.st_size);
		return;
	}
	dir = opendir(path);
	if (!dir)
		fail(path);
	while ((entry = readdir(dir)) != NULL) {
		char *inner = xasprintf("%s/%s", path, entry->d_name);

		if (entry->d_name[0] != '.')
			replay(inner);
		free(inner);
	}
	(void)closedir(dir);
}

/* The last line is Check's, so that whoever counts those counts a target as one. */
int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%zu inputs\n", replayed);
	if (replayed == 0)
		return EXIT_FAILURE;
	printf("100%%: Checks: 1, Failures: 0, Errors: 0\n");
	return EXIT_SUCCESS;
}
