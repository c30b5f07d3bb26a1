/* How a command says what went wrong: one line that starts with the command's name. */
#include <stdarg.h>
#include <stdio.h>

#include "cli.h"

enum cli_exit cli_failed(const char *command, const struct err *err)
{
	(void)fprintf(stderr, "ww %s: %s\n", command, err->msg);
	return CLI_FAILED;
}

enum cli_exit cli_misused(const char *command, const char *fmt, ...)
{
	char msg[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, args);
	va_end(args);
	(void)fprintf(stderr, "ww %s: %s; see `ww %s --help`\n", command, msg, command);
	return CLI_USAGE;
}
