/*
 * postgres: a private PostgreSQL 15 server for tests, on 127.0.0.1 and a free port.
 *
 * Started in main() it serves every test of the program, each with a database of its own. A test
 * that kills or restarts the server starts its own (1.5 s): tests run in forked processes, and a
 * server belongs to the process that started it. It ends with that process, however that ends.
 */
#ifndef SUPPORT_POSTGRES_H
#define SUPPORT_POSTGRES_H

struct postgres;

/* Ready for connections when it returns. Runs as the postgres user if the test runs as root. */
struct postgres *postgres_start(void);

/*
 * The same, on a disk that can be made full. Programs that use it depend on the target disk_full.
 * postgres_fill_disk(pg, "base"): no table grows; "pg_wal": no log does, which ends the server, so
 * that somebody has to restart it; NULL: there is room again.
 */
struct postgres *postgres_start_on_disk(void);
void postgres_fill_disk(struct postgres *pg, const char *folder);

/* Optional: at exit it is stopped anyway. */
void postgres_stop(struct postgres *pg);

/* A fresh, empty database; its connection string lives as long as `pg`. Any process. */
const char *postgres_new_database(struct postgres *pg);

/* SQL text, outside of the connections under test. Fails the test if it fails. Any process. */
void postgres_exec(const char *dsn, const char *sql);

/* End every client's connection on the server's side; returns when they are gone. Any process. */
void postgres_terminate_backends(struct postgres *pg);

/* SIGKILL to the whole server, as a machine's end would; only postgres_restart() helps then. */
void postgres_kill(struct postgres *pg);

/* Start it again on the same port, after postgres_kill() or while it runs; returns when it is
 * ready. */
void postgres_restart(struct postgres *pg);

#endif
