/* Ports, folders and child processes for tests. */
#include "support/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"

static char tmp_dir[256];
static pid_t tmp_dir_owner;

static void pause_ms(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	(void)nanosleep(&ts, NULL);
}

int support_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int socket_to(int port, bool listening)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -1;
	rc = listening ? bind(fd, (struct sockaddr *)&addr, sizeof(addr))
		       : connect(fd, (struct sockaddr *)&addr, sizeof(addr));
	if (rc != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

int support_free_port(void)
{
	/* Nothing keeps the port until a server binds it, so it is taken from below the range that
	 * the kernel gives to outgoing connections, at random, and remembered: a client's own port
	 * can't take it while its server restarts, and other test processes seldom draw the same.
	 */
	enum { FIRST = 20000, COUNT = 12000 };
	static bool given[COUNT];

	for (int tries = 0; tries < 10 * COUNT; tries++) {
		size_t n = random_below(COUNT);
		int fd;

		if (given[n])
			continue;
		fd = socket_to(FIRST + (int)n, /* listening= */ true);
		if (fd < 0)
			continue;
		(void)close(fd);
		given[n] = true;
		return FIRST + (int)n;
	}
	abort();
}

const char *support_get(int port, const char *path)
{
	static char answer[256 * 1024];
	int fd = socket_to(port, /* listening= */ false);
	size_t len = 0;
	ssize_t n = 0;

	if (fd >= 0 &&
	    dprintf(fd, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path) >
		0) {
		while ((n = read(fd, answer + len, sizeof(answer) - 1 - len)) > 0)
			len += (size_t)n;
	}
	if (fd >= 0)
		(void)close(fd);
	answer[len] = '\0';
	return answer;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	(void)remove(path);
	return 0;
}

static void remove_tmp_dir(void)
{
	if (getpid() == tmp_dir_owner)
		(void)nftw(tmp_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *support_tmp_dir(void)
{
	if (!tmp_dir[0]) {
		const char *base = getenv("TMPDIR");

		(void)snprintf(tmp_dir, sizeof(tmp_dir), "%s/ww-test-XXXXXX", base ? base : "/tmp");
		if (!mkdtemp(tmp_dir))
			abort();
		tmp_dir_owner = getpid();
		(void)atexit(remove_tmp_dir);
	}
	return tmp_dir;
}

pid_t support_spawn(const char *const argv[], const char *log_path)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		abort();
	if (pid == 0) {
		int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
		sigset_t none;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127);
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		if (log >= 0) {
			(void)dup2(log, STDOUT_FILENO);
			(void)dup2(log, STDERR_FILENO);
		}
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		(void)dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	return pid;
}

int support_stop(pid_t pid, int sig)
{
	int64_t deadline = clock_mono_ms() + 10000;
	int status = 0;

	(void)kill(pid, sig);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_mono_ms() > deadline) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			break;
		}
		pause_ms(5);
	}
	return status;
}

bool support_wait(bool (*cond)(void *arg), void *arg, int timeout_ms)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;

	while (!cond(arg)) {
		if (clock_mono_ms() > deadline)
			return false;
		pause_ms(5);
	}
	return true;
}

static bool port_answers(void *arg)
{
	int fd = socket_to(*(int *)arg, /* listening= */ false);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

void support_end(pid_t *pid, int signal, const char *log_path)
{
	int status;

	if (*pid <= 0)
		return;
	status = support_stop(*pid, signal);
	*pid = 0;
	if (signal == SIGTERM)
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		    "it did not end well: %s", support_read_file(log_path));
}

const char *support_read_file(const char *path)
{
	static char text[8 << 20];
	FILE *file = fopen(path, "re");

	ck_assert_msg(file != NULL, "%s", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	(void)fclose(file);
	return text;
}

bool support_wait_port(int port, int timeout_ms)
{
	return support_wait(port_answers, &port, timeout_ms);
}
