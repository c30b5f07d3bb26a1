/* A nats-server for tests, configured by the code that configures a deployment's. */
#include "support/nats.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/provision.h"
#include "support/support.h"

enum { START_TIMEOUT_MS = 20000 };

static const char *password_is_name(void *arg, const char *user)
{
	(void)arg;
	return user;
}

static void write_config(const struct support_nats *nats)
{
	struct nats_server_config cfg = {
		.host = "127.0.0.1",
		.port = nats->port,
		.server_name = "test",
		.store_dir = nats->dir,
		.max_memory_store = 256LL << 20,
		.max_file_store = 4LL << 30,
		.password = password_is_name,
	};
	struct buf text = BUF_INIT;
	FILE *file = fopen(nats->conf, "w");

	ck_assert_msg(file != NULL, "cannot write %s", nats->conf);
	bus_nats_config(&cfg, &text);
	ck_assert_uint_eq(fwrite(text.data, 1, text.len, file), text.len);
	ck_assert_int_eq(fclose(file), 0);
	buf_finish(&text);
}

void support_nats_restart(struct support_nats *nats)
{
	const char *argv[] = { "nats-server", "-c", nats->conf, NULL };

	nats->pid = support_spawn(argv, nats->log);
	ck_assert_msg(support_wait_port(nats->port, START_TIMEOUT_MS),
	    "nats-server does not start: see %s", nats->log);
}

void support_nats_start(struct support_nats *nats)
{
	*nats = (struct support_nats){ .port = support_free_port() };
	(void)snprintf(nats->url, sizeof(nats->url), "nats://127.0.0.1:%d", nats->port);
	/* Tests run in processes of their own in one folder, and the kernel may give a port again.
	 */
	(void)snprintf(nats->dir, sizeof(nats->dir), "%s/nats-%d-%d", support_tmp_dir(), nats->port,
	    (int)getpid());
	(void)snprintf(nats->conf, sizeof(nats->conf), "%s/nats-server.conf", nats->dir);
	(void)snprintf(nats->log, sizeof(nats->log), "%s/nats-server.log", nats->dir);
	ck_assert_int_eq(mkdir(nats->dir, 0755), 0);
	write_config(nats);
	support_nats_restart(nats);
}

void support_nats_stop(struct support_nats *nats, int signal)
{
	if (nats->pid > 0)
		(void)support_stop(nats->pid, signal);
	nats->pid = 0;
}

struct bus *support_nats_bus(const struct support_nats *nats, const char *user)
{
	struct bus_config cfg = { .url = nats->url, .user = user, .password = user, .name = user };
	struct err err = ERR_INIT;
	struct bus *bus;

	ck_assert_ok(bus_open(&cfg, &bus, &err), err);
	ck_assert_ok(bus_wait_connected(bus, START_TIMEOUT_MS, &err), err);
	return bus;
}

void support_nats_provision(const struct support_nats *nats)
{
	support_nats_provision_small(nats, 256LL << 20);
}

void support_nats_provision_small(const struct support_nats *nats, int64_t events_max_bytes)
{
	struct provision_config cfg = { 1, events_max_bytes, 64LL << 20 };
	struct bus *bus = support_nats_bus(nats, "ops");
	struct err err = ERR_INIT;

	ck_assert_ok(bus_provision(bus, &cfg, NULL, NULL, &err), err);
	bus_close(bus);
}
