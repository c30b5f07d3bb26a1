/*
 * support: what test programs share.
 *
 * Servers are real, started by the test on free ports in a temporary folder, and stopped by their
 * pid. Everything here fails the running test (or exits, outside of one) with a message when it
 * can't.
 */
#ifndef SUPPORT_SUPPORT_H
#define SUPPORT_SUPPORT_H

#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

/* Runs the suites; what a test program's main() returns. Ends with Check's own closing line. */
int support_run(Suite *suite);

/* Fails the test with the error's message if `s` is not STATUS_OK. */
#define ck_assert_ok(s, err) ck_assert_msg((s) == 0, "%s", (err).msg)

/* A TCP port of 127.0.0.1 that was free a moment ago, never given twice by one process. */
int support_free_port(void);

/* A fresh folder under $TMPDIR or /tmp, removed at exit of the process that made it; borrowed. */
const char *support_tmp_dir(void);

/* Start a program with standard output and error in `log_path`; it dies with the test process. */
pid_t support_spawn(const char *const argv[], const char *log_path);
/* Send `signal`, wait at most 10 s (then SIGKILL); returns the wait status. */
int support_stop(pid_t pid, int signal);

/* The same for a program that may not run (0), and then it is 0. SIGTERM has to end it well, else
 * what is in `log_path` is shown. */
void support_end(pid_t *pid, int signal, const char *log_path);

/* What a file holds, at most 8 MiB of it; static, until the next call. */
const char *support_read_file(const char *path);

/* Wait until something listens on 127.0.0.1:port. */
bool support_wait_port(int port, int timeout_ms);

/* What 127.0.0.1:port answers to GET `path`, head and body; empty if nothing does. In static
 * memory. */
const char *support_get(int port, const char *path);

/* Poll `cond(arg)` every 5 ms until true or timeout_ms went by. */
bool support_wait(bool (*cond)(void *arg), void *arg, int timeout_ms);

#endif
