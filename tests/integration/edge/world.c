/* Starting and stopping what edges need. */
#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attrs.h"
#include "support/support.h"

struct world world;

static bool edge_is_ready(void *arg)
{
	return edge_not_ready(arg) == NULL;
}

static void write_key(void)
{
	char path[320];
	int fd;

	(void)snprintf(world.keys_dir, sizeof(world.keys_dir), "%s/keys", support_tmp_dir());
	(void)mkdir(world.keys_dir, 0700);
	(void)snprintf(path, sizeof(path), "%s/dev.hs256", world.keys_dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(write(fd, "0123456789abcdef0123456789abcdef", 32), 32);
	(void)close(fd);
}

void world_start(void)
{
	write_key();
	support_nats_start(&world.nats);
	support_nats_provision(&world.nats);
	world.mailbox = mailbox_start(world.nats.url);
}

void world_stop(void)
{
	if (world.mailbox)
		mailbox_stop(world.mailbox);
	support_nats_stop(&world.nats, SIGTERM);
}

void world_start_edge(struct edge *edge, const char *sweep_interval)
{
	char url[96], keys[340], sweep[64];
	char *argv[] = { (char[]){ "ww-edge" }, (char[]){ "--listen=127.0.0.1:0" }, url, keys,
		sweep, (char[]){ "--loops=2" }, (char[]){ "--ping-interval=1s" },
		(char[]){ "--exempt-networks=127.0.0.0/8" }, NULL };
	struct err err = ERR_INIT;

	(void)snprintf(url, sizeof(url), "--nats-url=%s", world.nats.url);
	(void)snprintf(keys, sizeof(keys), "--keys-dir=%s", world.keys_dir);
	(void)snprintf(sweep, sizeof(sweep), "--sweep-interval=%s", sweep_interval);
	(void)setenv("WW_NATS_PASSWORD", "edge", 1);
	(void)setenv("WW_RECOVERY_KEY", "not a secret in a test", 1);
	*edge = (struct edge){ 0 };
	ck_assert_int_eq(
	    config_load(&edge_config_spec, &edge->cfg, ARRAY_LEN(argv) - 1, argv), CONFIG_RUN);
	ck_assert_ok(edge_start(edge, &err), err);
	ck_assert_msg(support_wait(edge_is_ready, edge, 10000), "%s", edge_not_ready(edge));
}

void world_stop_edge(struct edge *edge)
{
	edge_stop(edge);
	config_release(&edge_config_spec, &edge->cfg);
}

struct client *world_sign_in_on(struct edge *edge, size_t loop, const char *user)
{
	for (;;) {
		struct client *client = malloc(sizeof(*client));

		client_open(client, http_front_port(edge->engine.front));
		if (engine_loop_of(&edge->engine, client_sid(client))->index == loop) {
			ck_assert(client_sign_in(client, world.keys_dir, user));
			return client;
		}
		client_close(client);
		free(client);
	}
}
