/* What every command begins with, and how it says what went wrong: a line with its name. */
#include <stdarg.h>
#include <stdio.h>

#include "cli.h"
#include "codec/reflect.h"
#include "printable.h"

bool cli_options(const struct usage *usage, void *opt, struct option_list *ret_operands, int argc,
    char **argv, enum cli_exit *ret_exit)
{
	static const enum cli_exit exits[] = {
		[OPTIONS_RUN] = CLI_OK,
		[OPTIONS_DONE] = CLI_OK,
		[OPTIONS_WRONG] = CLI_USAGE,
	};
	enum options_outcome outcome = options_parse(usage, opt, ret_operands, argc, argv);

	*ret_exit = exits[outcome];
	return outcome == OPTIONS_RUN;
}

void cli_print_json(const ProtobufCMessage *message)
{
	struct buf out = BUF_INIT;

	reflect_append_json(&out, message);
	buf_append_char(&out, '\n');
	cli_print_lines(buf_bytes(&out));
	buf_finish(&out);
}

void cli_print_lines(struct bytes lines)
{
	struct buf out = BUF_INIT;

	printable_append(&out, lines);
	(void)fwrite(out.data, 1, out.len, stdout);
	buf_finish(&out);
}

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
