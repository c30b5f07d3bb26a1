/* Blocked in this thread, so in all that it starts: none of a library's may take them. */
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "cli.h"

int cli_signal_fd(void)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}
