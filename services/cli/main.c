/* ww: the command line of Walletwire. This file is its table of contents; see README.md. */
#include <stdio.h>
#include <string.h>

#include "base/attrs.h"
#include "cli.h"

static const struct command {
	const char *name, *summary;
	command_fn run;
} commands[] = {
	{ "provision", "create the streams, consumers and buckets that are missing",
	    cmd_provision },
	{ "nats-config", "print the configuration of nats-server, with every user's permissions",
	    cmd_nats_config },
	{ "token", "print a signed token", cmd_token },
	{ "publish", "publish events as a wallet back end does", cmd_publish },
	{ "announce", "publish an announcement to everybody or a segment", cmd_announce },
	{ "tail", "print what is delivered to a user", cmd_tail },
	{ "inbox", "list and count a user's inbox, and verify it", cmd_inbox },
	{ "balance", "what is in a user's wallets", cmd_balance },
	{ "friends", "who may see whom online", cmd_friends },
	{ "chat", "a user's rooms, what is said in them, and whether it expires", cmd_chat },
	{ "audit", "verify the audit record, ask it, export it", cmd_audit },
	{ "recall", "take back what an event said", cmd_recall },
	{ "revoke", "end tokens before they expire", cmd_revoke },
	{ "export", "write down everything held about a user", cmd_export },
	{ "erase", "take away everything held about a user", cmd_erase },
	{ "stats", "what edges count, in a table or one in full", cmd_stats },
	{ "top", "what edges do, over and over", cmd_top },
	{ "drain", "move the clients of an edge to the others", cmd_drain },
	{ "dlq", "list and replay events that were given up", cmd_dlq },
	{ "docs", "print a generated page of docs/", cmd_docs },
};

static void print_commands(FILE *out)
{
	(void)fputs("usage: ww COMMAND [options]\n\n", out);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		(void)fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
	(void)fputs(
	    "\n`ww COMMAND --help` tells more. Exit codes: 0 done, 1 failed, 2 wrong use.\n", out);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_commands(stdout);
		return CLI_OK;
	}
	if (strcmp(name, "--version") == 0) {
		(void)puts("ww " WW_VERSION);
		return CLI_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return (int)commands[i].run(argc - 1, argv + 1);
	}
	if (name[0])
		(void)fprintf(stderr, "ww: unknown command \"%s\"\n\n", name);
	print_commands(stderr);
	return CLI_USAGE;
}
