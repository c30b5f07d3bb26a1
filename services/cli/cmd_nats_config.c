/* ww nats-config: the server's configuration, with every NATS user and what it may do. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "bus/provision.h"
#include "cli.h"
#include "options.h"
#include "secret.h"

enum { USERS_MAX = 16 };

struct nats_options {
	const char *host, *server_name, *store_dir, *passwords_dir, *leaf, *hub, *tls_dir;
	int64_t port, monitor_port, leaf_port, max_memory_store, max_file_store;
};

#define ROW(field, name, type, dflt, min, max, value, help)                                    \
	{                                                                                      \
		name, type, offsetof(struct nats_options, field), NULL, dflt, min, max, value, \
		    help                                                                       \
	}

static const struct option_row rows[] = {
	ROW(port, "port", OPTION_INT, "4222", 1, 65535, "PORT", "where the server listens"),
	ROW(host, "host", OPTION_TEXT, "127.0.0.1", 0, 0, "ADDRESS", "on which address"),
	ROW(store_dir, "store-dir", OPTION_TEXT, NULL, 0, 0, "DIR",
	    "where JetStream keeps its files"),
	ROW(server_name, "server-name", OPTION_TEXT, "walletwire", 0, 0, "NAME",
	    "its name, different on every server of a cluster"),
	ROW(monitor_port, "monitor-port", OPTION_INT, "0", 0, 65535, "PORT",
	    "of its monitor, on 127.0.0.1 alone; 0: none"),
	ROW(max_memory_store, "max-memory-store", OPTION_SIZE, "256MiB", 1 << 20, INT64_MAX, "SIZE",
	    "what JetStream may keep in memory"),
	ROW(max_file_store, "max-file-store", OPTION_SIZE, "16GiB", 1 << 20, INT64_MAX, "SIZE",
	    "and in files: at least the sum of what the streams may hold"),
	ROW(passwords_dir, "passwords-dir", OPTION_TEXT, NULL, 0, 0, "DIR",
	    "one file per NATS user, named like the user, with its password"),
	ROW(leaf_port, "leaf-port", OPTION_INT, "0", 0, 65535, "PORT",
	    "where leaves find it, by mutual TLS; 0: none may come"),
	ROW(leaf, "leaf", OPTION_TEXT, NULL, 0, 0, "USER",
	    "instead a leaf beside a program on another host, whose NATS user this is"),
	ROW(hub, "hub", OPTION_TEXT, NULL, 0, 0, "HOST:PORT",
	    "of a leaf: the leaf port of the server it is linked to"),
	ROW(tls_dir, "tls-dir", OPTION_TEXT, NULL, 0, 0, "DIR",
	    "certificates for links of leaves: tls.crt, tls.key, and the authority, ca.crt"),
	{ .name = NULL },
};

static const struct usage usage = {
	.command = "nats-config",
	.help = "Prints a configuration for nats-server: accounts, and per user what it may "
		"publish and\n"
		"subscribe, as the subjects' table says. It holds the passwords: keep it as they "
		"are kept.",
	.rows = rows,
};

struct passwords {
	const char *alone;               /* the only user there is; NULL: all */
	char at[USERS_MAX][SECRET_SIZE]; /* in the order of bus_users */
};

static const char *password_of(void *arg, const char *user)
{
	const struct passwords *passwords = arg;

	for (size_t i = 0; bus_users[i]; i++) {
		if (strcmp(bus_users[i], user) == 0)
			return passwords->at[i][0] ? passwords->at[i] : NULL;
	}
	return NULL; /* the system account's: nobody needs to sign in there */
}

static enum status read_passwords(const char *dir, struct passwords *passwords, struct err *err)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; bus_users[i] && s == STATUS_OK; i++) {
		assert(i < USERS_MAX);
		passwords->at[i][0] = '\0';
		if (passwords->alone && strcmp(passwords->alone, bus_users[i]) != 0)
			continue;
		s = secret_read_in(dir, bus_users[i], passwords->at[i], err);
	}
	return s;
}

static void print_config(const struct nats_options *opt, struct passwords *passwords)
{
	struct nats_server_config cfg = { .host = opt->host,
		.port = (int)opt->port,
		.http_port = (int)opt->monitor_port,
		.server_name = opt->server_name,
		.store_dir = opt->store_dir,
		.max_memory_store = opt->max_memory_store,
		.max_file_store = opt->max_file_store,
		.leaf_port = (int)opt->leaf_port,
		.tls_dir = opt->tls_dir,
		.password = password_of,
		.arg = passwords };
	struct buf out = BUF_INIT;

	if (opt->leaf)
		bus_nats_leaf_config(&cfg, opt->leaf, opt->hub, &out);
	else
		bus_nats_config(&cfg, &out);
	(void)fputs(buf_str(&out), stdout);
	explicit_bzero(out.data, out.len);
	buf_finish(&out);
}

static bool is_user(const char *name)
{
	for (size_t i = 0; bus_users[i]; i++) {
		if (strcmp(bus_users[i], name) == 0)
			return true;
	}
	return false;
}

/* NULL, or what is wrong with what was given. */
static const char *misuse(const struct nats_options *opt)
{
	if (!opt->passwords_dir || (!opt->leaf && !opt->store_dir))
		return "--store-dir DIR and --passwords-dir DIR are needed";
	if (opt->leaf && !is_user(opt->leaf))
		return "--leaf: there is no such NATS user";
	if (opt->leaf && !opt->hub)
		return "--leaf needs --hub HOST:PORT";
	if (opt->leaf && opt->leaf_port)
		return "--leaf-port is of a hub, not of a --leaf";
	if ((opt->leaf || opt->leaf_port) && !opt->tls_dir)
		return "--tls-dir DIR is needed: there is no link without certificates";
	return NULL;
}

enum cli_exit cmd_nats_config(int argc, char **argv)
{
	struct nats_options opt = { 0 };
	struct option_list operands;
	enum cli_exit code;
	struct passwords passwords;
	struct err err = ERR_INIT;

	if (!cli_options(&usage, &opt, &operands, argc, argv, &code))
		return code;
	if (misuse(&opt))
		return cli_misused("nats-config", "%s", misuse(&opt));
	passwords.alone = opt.leaf;
	if (read_passwords(opt.passwords_dir, &passwords, &err))
		code = cli_failed("nats-config", &err);
	else
		print_config(&opt, &passwords);
	explicit_bzero(&passwords, sizeof(passwords));
	return err.status ? code : CLI_OK;
}
