/*
 * cli: the commands of `ww`. One file per command (cmd_*.c), one row per command in main.c.
 *
 * A command reads its own options, does its one thing, prints results on standard output and what
 * went wrong on standard error, and returns the exit code of the process.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <protobuf-c/protobuf-c.h>

#include "base/bytes.h"
#include "base/err.h"
#include "options.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1, /* it was tried and did not (wholly) succeed */
	CLI_USAGE = 2,  /* the command line can't be understood; nothing was tried */
};

/* argv[0] is the command's name. */
typedef enum cli_exit (*command_fn)(int argc, char **argv);

enum cli_exit cmd_audit(int argc, char **argv);
enum cli_exit cmd_balance(int argc, char **argv);
enum cli_exit cmd_chat(int argc, char **argv);
enum cli_exit cmd_dlq(int argc, char **argv);
enum cli_exit cmd_docs(int argc, char **argv);
enum cli_exit cmd_drain(int argc, char **argv);
enum cli_exit cmd_erase(int argc, char **argv);
enum cli_exit cmd_export(int argc, char **argv);
enum cli_exit cmd_friends(int argc, char **argv);
enum cli_exit cmd_inbox(int argc, char **argv);
enum cli_exit cmd_nats_config(int argc, char **argv);
enum cli_exit cmd_provision(int argc, char **argv);
enum cli_exit cmd_publish(int argc, char **argv);
enum cli_exit cmd_announce(int argc, char **argv);
enum cli_exit cmd_recall(int argc, char **argv);
enum cli_exit cmd_revoke(int argc, char **argv);
enum cli_exit cmd_stats(int argc, char **argv);
enum cli_exit cmd_tail(int argc, char **argv);
enum cli_exit cmd_token(int argc, char **argv);
enum cli_exit cmd_top(int argc, char **argv);

/* Reads the command line; false if that was all, and then how it ends: after --help, or a mistake.
 */
bool cli_options(const struct usage *usage, void *opt, struct option_list *ret_operands, int argc,
    char **argv, enum cli_exit *ret_exit) MUST_CHECK;

/* Readable once SIGINT or SIGTERM came, which end nothing by themselves from now on. To be called
 * before any thread is started. */
int cli_signal_fd(void);

/* A message as a line of JSON on standard output. */
void cli_print_json(const ProtobufCMessage *message);
/* Lines with JSON in them that others have written: see printable.h. */
void cli_print_lines(struct bytes lines);
/* "ww COMMAND: message" on standard error; returns CLI_FAILED. */
enum cli_exit cli_failed(const char *command, const struct err *err);
/* The same with the way to the help; returns CLI_USAGE. */
enum cli_exit cli_misused(const char *command, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
