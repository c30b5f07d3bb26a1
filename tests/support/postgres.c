/* A cluster in the test's temporary folder; administered with the server's own psql. */
#include "support/postgres.h"

#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "support/support.h"

enum { ARGS_MAX = 32, READY_MS = 30000 };

struct postgres {
	char *bin; /* the folder of the server's programs */
	char *dir; /* data/, the socket and the logs */
	char *dsn; /* of the database that is always there */
	int port;
	char *preload; /* settings of the environment for a disk that can be full; NULL: none */
	char *full;
	pid_t pid;   /* 0: not running */
	pid_t owner; /* the process that started it */
	struct dsn {
		struct dsn *next;
		char text[96];
	} * dsns;
	struct postgres *next;
};

static struct postgres *servers;

/* pid of `program` with `args`, as whoever may run PostgreSQL: root may not. */
static pid_t spawn(
    struct postgres *pg, const char *program, const char *const *args, const char *log)
{
	/* setpriv says again what to do when this process dies: a change of user makes that void.
	 */
	static const char *const as_postgres[] = { "setpriv", "--reuid=postgres",
		"--regid=postgres", "--clear-groups", "--pdeathsig=QUIT" };
	const char *argv[ARGS_MAX] = { NULL };
	char *path = xasprintf("%s/%s", pg->bin, program);
	char *log_path = xasprintf("%s/%s", pg->dir, log);
	size_t n = 0;
	pid_t pid;

	for (size_t i = 0; geteuid() == 0 && i < ARRAY_LEN(as_postgres); i++)
		argv[n++] = as_postgres[i];
	if (pg->preload) {
		argv[n++] = "env";
		argv[n++] = pg->preload;
		argv[n++] = pg->full;
	}
	argv[n++] = path;
	while (*args && n < ARGS_MAX - 1)
		argv[n++] = *args++;
	pid = support_spawn(argv, log_path);
	free(log_path);
	free(path);
	return pid;
}

static int run(struct postgres *pg, const char *program, const char *const *args, const char *log)
{
	int status = -1;
	pid_t pid = spawn(pg, program, args, log);

	while (waitpid(pid, &status, 0) != pid)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *server_programs(void)
{
	glob_t found = { 0 };
	char *bin;

	if (glob("/usr/lib/postgresql/15/bin", 0, NULL, &found) != 0 &&
	    glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0)
		ck_abort_msg("no PostgreSQL server programs under /usr/lib/postgresql");
	bin = xstrdup(found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return bin;
}

/* A folder the server's user owns, inside one that it may pass through. */
static char *server_folder(void)
{
	char *dir = xasprintf("%s/pg-XXXXXX", support_tmp_dir());

	if (!mkdtemp(dir))
		ck_abort_msg("cannot make %s", dir);
	if (geteuid() == 0) {
		const struct passwd *user = getpwnam("postgres");

		if (!user || chown(dir, user->pw_uid, user->pw_gid) != 0 ||
		    chmod(support_tmp_dir(), 0711) != 0)
			ck_abort_msg("cannot give %s to the postgres user", dir);
	}
	return dir;
}

static bool is_ready(struct postgres *pg)
{
	char port[16];

	(void)snprintf(port, sizeof(port), "%d", pg->port);
	return run(pg, "pg_isready",
		   (const char *[]){ "-q", "-h", "127.0.0.1", "-p", port, "-U", "postgres", NULL },
		   "isready.log") == 0;
}

/*
 * False if it ended instead: somebody else has the port. Without fsync, which only the end of the
 * machine would make a difference to: what a killed server wrote is in the page cache.
 */
static bool launch(struct postgres *pg)
{
	int64_t deadline = clock_mono_ms() + READY_MS;
	char *data = xasprintf("%s/data", pg->dir);
	char port[16];

	(void)snprintf(port, sizeof(port), "%d", pg->port);
	pg->pid = spawn(pg, "postgres",
	    (const char *[]){ "-D", data, "-p", port, "-k", pg->dir, "-c",
		"listen_addresses=127.0.0.1", "-c", "shared_buffers=32MB", "-c",
		"max_connections=100", "-c", "fsync=off", NULL },
	    "postgres.log");
	free(data);
	while (!is_ready(pg)) {
		if (waitpid(pg->pid, NULL, WNOHANG) == pg->pid) {
			pg->pid = 0;
			return false;
		}
		if (clock_mono_ms() > deadline)
			ck_abort_msg(
			    "PostgreSQL was not ready in time: see %s/postgres.log", pg->dir);
		(void)usleep(10000);
	}
	return true;
}

static void stop_all(void)
{
	for (struct postgres *pg = servers; pg; pg = pg->next)
		postgres_stop(pg);
}

static struct postgres *new_server(void)
{
	struct postgres *pg = xcalloc(1, sizeof(*pg));

	pg->owner = getpid();
	pg->bin = server_programs();
	pg->dir = server_folder();
	return pg;
}

static void start(struct postgres *pg)
{
	char *data = xasprintf("%s/data", pg->dir);
	if (run(pg, "initdb",
		(const char *[]){ "--no-sync", "-A", "trust", "--no-locale", "-E", "UTF8", "-U",
		    "postgres", "-D", data, NULL },
		"initdb.log") != 0)
		ck_abort_msg("initdb failed: see %s/initdb.log", pg->dir);
	free(data);
	/* A free port may be taken by the time the server binds it: then another one. */
	for (int attempt = 0; pg->pid == 0; attempt++) {
		if (attempt == 5)
			ck_abort_msg("PostgreSQL does not start: see %s/postgres.log", pg->dir);
		pg->port = support_free_port();
		(void)launch(pg);
	}
	pg->dsn = xasprintf("postgresql://postgres@127.0.0.1:%d/postgres", pg->port);
	/* After the temporary folder's own handler, so that it runs before that. */
	(void)atexit(stop_all);
	pg->next = servers;
	servers = pg;
}

struct postgres *postgres_start(void)
{
	struct postgres *pg = new_server();

	start(pg);
	return pg;
}

/* A copy for the server: the build may be out of its reach. */
static void copy_shim(const struct postgres *pg)
{
	const char *bin = getenv("WW_BIN_DIR");
	char *made = xasprintf("%s/../tests/disk_full.so", bin ? bin : "");
	char *log = xasprintf("%s/cp.log", pg->dir);

	if (support_stop(support_spawn((const char *[]){ "cp", made, pg->dir, NULL }, log), 0) != 0)
		ck_abort_msg("no %s: run it by ctest", made);
	free(log);
	free(made);
}

struct postgres *postgres_start_on_disk(void)
{
	struct postgres *pg = new_server();

	copy_shim(pg);
	pg->preload = xasprintf("LD_PRELOAD=%s/disk_full.so", pg->dir);
	pg->full = xasprintf("WW_DISK_FULL=%s/full", pg->dir);
	start(pg);
	return pg;
}

void postgres_fill_disk(struct postgres *pg, const char *folder)
{
	const char *path = strchr(pg->full, '=') + 1;
	FILE *file;

	if (!folder) {
		ck_assert_int_eq(remove(path), 0);
		return;
	}
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(folder, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

void postgres_stop(struct postgres *pg)
{
	if (pg->owner != getpid() || pg->pid == 0)
		return;
	/* Without a last checkpoint: nobody needs it, and a restart then does what it does after a
	 * crash. */
	(void)support_stop(pg->pid, SIGQUIT);
	pg->pid = 0;
}

void postgres_exec(const char *dsn, const char *sql)
{
	struct postgres pg = { .bin = server_programs(), .dir = xstrdup(support_tmp_dir()) };
	int code = run(&pg, "psql",
	    (const char *[]){ "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-c", sql, NULL },
	    "psql.log");

	ck_assert_msg(code == 0, "psql failed (see %s/psql.log): %s", pg.dir, sql);
	free(pg.dir);
	free(pg.bin);
}

const char *postgres_new_database(struct postgres *pg)
{
	static unsigned count; /* copied by fork: the pid makes the name unique */
	struct dsn *dsn = xcalloc(1, sizeof(*dsn));
	char sql[64];

	count++;
	(void)snprintf(sql, sizeof(sql), "CREATE DATABASE t%d_%u", (int)getpid(), count);
	postgres_exec(pg->dsn, sql);
	(void)snprintf(dsn->text, sizeof(dsn->text), "postgresql://postgres@127.0.0.1:%d/t%d_%u",
	    pg->port, (int)getpid(), count);
	dsn->next = pg->dsns;
	pg->dsns = dsn;
	return dsn->text;
}

void postgres_terminate_backends(struct postgres *pg)
{
	postgres_exec(pg->dsn,
	    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
	    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
}

/* The backends too: left alone they would finish what they are doing. */
static void kill_children(pid_t pid)
{
	char *path = xasprintf("/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *file = fopen(path, "re");
	int child;

	while (file && fscanf(file, "%d", &child) == 1)
		(void)kill(child, SIGKILL);
	if (file)
		(void)fclose(file);
	free(path);
}

void postgres_kill(struct postgres *pg)
{
	ck_assert_msg(
	    pg->owner == getpid(), "only the process that started the server may kill it");
	ck_assert_msg(pg->pid != 0, "the server is not running");
	/* Stopped first, so that it starts nothing between the two. */
	(void)kill(pg->pid, SIGSTOP);
	kill_children(pg->pid);
	(void)support_stop(pg->pid, SIGKILL);
	pg->pid = 0;
}

void postgres_restart(struct postgres *pg)
{
	int64_t deadline = clock_mono_ms() + READY_MS;

	ck_assert_msg(
	    pg->owner == getpid(), "only the process that started the server may restart it");
	postgres_stop(pg);
	/* After a kill the old server's children may hold its memory for a moment yet. */
	while (!launch(pg)) {
		ck_assert_msg(
		    clock_mono_ms() < deadline, "no restart: see %s/postgres.log", pg->dir);
		(void)usleep(20000);
	}
}
