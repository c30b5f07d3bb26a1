/* A folder for each test, with the passwords and the output of the last program. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus/provision.h"

enum { WORDS_MAX = 16 };

static char dir[256];

const char *command_path(const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

void command_write_password(const char *user)
{
	FILE *file = fopen(command_path(user), "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(user, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

void command_setup(const struct world *world)
{
	(void)snprintf(dir, sizeof(dir), "%s/command-%d", support_tmp_dir(), (int)getpid());
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	for (size_t i = 0; bus_users[i]; i++)
		command_write_password(bus_users[i]);
	ck_assert_int_eq(setenv("WW_NATS_PASSWORDS_DIR", dir, 1), 0);
	ck_assert_int_eq(setenv("WW_NATS_URL", world->nats.url, 1), 0);
}

int command_run(const char *program, const char *const *words)
{
	char path[512], out[512];
	const char *argv[WORDS_MAX] = { path };
	int status = 0;
	size_t n = 1;
	pid_t pid;

	while (*words && n < WORDS_MAX - 1)
		argv[n++] = *words++;
	/* What is not ours is found by the PATH. */
	(void)snprintf(path, sizeof(path), "%s/%s", getenv("WW_BIN_DIR"), program);
	if (access(path, X_OK) != 0)
		(void)snprintf(path, sizeof(path), "%s", program);
	(void)snprintf(out, sizeof(out), "%s/out", dir);
	(void)remove(out);
	ck_assert_int_eq(
	    unsetenv("WW_NATS_PASSWORD"), 0); /* of the replica that was started last */
	pid = support_spawn(argv, out);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

const char *command_output(void)
{
	return support_read_file(command_path("out"));
}

size_t command_lines(void)
{
	size_t n = 0;

	for (const char *c = command_output(); *c; c++)
		n += *c == '\n';
	return n;
}
