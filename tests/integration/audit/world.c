/* ww-audit and the auditor sign in as roles of their own, so that the grants are tested as well. */
#include "world.h"

#include <nats/nats.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"
#include "base/xalloc.h"
#include "bus/provision.h"

typedef Walletwire__V1__AuditRecord Record;

static const char *const service_names[WORLD_SERVICES] = { "notifications", "presence", "chat",
	"edge", "ops" };

/* --- life --- */

/* A database, and who signs in to it. */
static void use_database(struct world *world, const char *dsn)
{
	struct db_config cfg = { .dsn = dsn, .application_name = "test" };
	struct err err = ERR_INIT;

	(void)snprintf(world->admin_dsn, sizeof(world->admin_dsn), "%s", dsn);
	(void)snprintf(
	    world->audit_dsn, sizeof(world->audit_dsn), "postgresql://audit%s", strchr(dsn, '@'));
	(void)snprintf(world->auditor_dsn, sizeof(world->auditor_dsn), "postgresql://auditor%s",
	    strchr(dsn, '@'));
	ck_assert_ok(db_open(&cfg, &world->admin, &err), err);
}

static void make_database(struct world *world, struct postgres *pg)
{
	char path[512];

	use_database(world, postgres_new_database(pg));
	(void)snprintf(path, sizeof(path), "%s/services/audit/audit.sql", getenv("WW_SOURCE_DIR"));
	postgres_exec(world->admin_dsn, support_read_file(path));
	postgres_exec(world->admin_dsn, support_read_file(path)); /* it may be run again */
	/* Roles belong to the server, which may have seen another test. */
	postgres_exec(world->admin_dsn,
	    "DO $$ BEGIN CREATE ROLE audit LOGIN; CREATE ROLE auditor LOGIN;"
	    " EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
	    "GRANT walletwire_audit_writer TO audit; GRANT walletwire_audit_reader TO auditor");
}

static void write_file(struct world *world, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", world->dir, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static int run_ww(struct world *world, const char *const *words)
{
	char program[512], out[320];
	const char *argv[26] = { program };
	size_t n = 1;
	int status = 0;
	pid_t pid;

	while (*words)
		argv[n++] = *words++;
	ck_assert_ptr_nonnull(getenv("WW_BIN_DIR"));
	(void)snprintf(program, sizeof(program), "%s/ww", getenv("WW_BIN_DIR"));
	(void)snprintf(out, sizeof(out), "%s/out", world->dir);
	(void)remove(out);
	pid = support_spawn(argv, out);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid); /* Check's own limit bounds it */
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void make_files(struct world *world)
{
	(void)snprintf(
	    world->dir, sizeof(world->dir), "%s/audit-%d", support_tmp_dir(), (int)getpid());
	ck_assert_int_eq(mkdir(world->dir, 0700), 0);
	ck_assert_int_eq(setenv("WW_NATS_URL", world->nats.url, 1), 0);
	ck_assert_int_eq(setenv("WW_NATS_PASSWORDS_DIR", world->dir, 1), 0);
	(void)snprintf(world->key, sizeof(world->key), "%s/key.pem", world->dir);
	(void)snprintf(world->public_key, sizeof(world->public_key), "%s/public.pem", world->dir);
	(void)snprintf(world->heads, sizeof(world->heads), "%s/heads", world->dir);
	for (size_t i = 0; bus_users[i]; i++)
		write_file(world, bus_users[i], bus_users[i]);
	write_file(world, "auditor.url", world->auditor_dsn);
	/* By the program: whoever forks had better not have spoken with NATS itself. */
	ck_assert_int_eq(
	    run_ww(world, (const char *const[]){ "provision", "--events-max-bytes=64MiB",
			      "--audit-max-bytes=64MiB", NULL }),
	    0);
	ck_assert_int_eq(
	    world_ww(world, (const char *const[]){ "key", "--make", world->key, NULL }), 0);
	write_file(world, "public.pem", world_output(world));
}

void world_start(struct world *world, struct postgres *pg)
{
	*world = (struct world){ 0 };
	support_nats_start(&world->nats);
	make_database(world, pg);
	make_files(world);
}

static void close_services(struct world *world)
{
	for (int i = 0; i < WORLD_SERVICES; i++) {
		bus_close(world->services[i]);
		world->services[i] = NULL;
	}
}

void world_let_go(struct world *world)
{
	close_services(world);
	db_close(world->admin);
	world->admin = NULL;
}

void world_copy(struct world *world, struct postgres *pg)
{
	const char *dsn = postgres_new_database(pg), *name = strrchr(dsn, '/') + 1;
	char server[128], sql[256], lines[8192];

	/* One with a fresh name, made of the old one. */
	(void)snprintf(server, sizeof(server), "%.*spostgres", (int)(name - dsn), dsn);
	(void)snprintf(sql, sizeof(sql), "DROP DATABASE %s", name);
	postgres_exec(server, sql);
	(void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE %s", name,
	    strrchr(world->admin_dsn, '/') + 1);
	postgres_exec(server, sql);
	use_database(world, dsn);
	(void)snprintf(lines, sizeof(lines), "%s", support_read_file(world->heads));
	(void)snprintf(
	    world->heads, sizeof(world->heads), "%s/heads-%d", world->dir, (int)getpid());
	write_file(world, strrchr(world->heads, '/') + 1, lines);
	write_file(world, "auditor.url", world->auditor_dsn);
}

void world_stop(struct world *world)
{
	for (int i = 0; i < WORLD_REPLICAS; i++)
		world_kill(world, i, SIGTERM);
	world_let_go(world);
	support_nats_stop(&world->nats, SIGTERM);
}

/* --- replicas --- */

void world_launch(struct world *world, int replica, const char *extra)
{
	char program[512], url[128], admin[64], key[400], heads[400];
	const char *argv[] = { program, url, admin, key, heads, "--nats-user=audit",
		"--heads-interval=10m", "--workers=2", extra, NULL };

	ck_assert_msg(getenv("WW_BIN_DIR") != NULL, "WW_BIN_DIR is not set: run it by ctest");
	world->admin_port[replica] = support_free_port();
	(void)snprintf(program, sizeof(program), "%s/ww-audit", getenv("WW_BIN_DIR"));
	(void)snprintf(url, sizeof(url), "--nats-url=%s", world->nats.url);
	(void)snprintf(admin, sizeof(admin), "--admin=127.0.0.1:%d", world->admin_port[replica]);
	(void)snprintf(key, sizeof(key), "--signing-key-file=%s", world->key);
	(void)snprintf(heads, sizeof(heads), "--heads-file=%s", world->heads);
	(void)snprintf(world->log[replica], sizeof(world->log[replica]), "%s/audit-%d-%d.log",
	    support_tmp_dir(), (int)getpid(), replica);
	ck_assert_int_eq(setenv("WW_NATS_PASSWORD", "audit", 1), 0);
	ck_assert_int_eq(setenv("WW_DATABASE_URL", world->audit_dsn, 1), 0);
	world->replicas[replica] = support_spawn(argv, world->log[replica]);
	ck_assert_int_eq(unsetenv("WW_NATS_PASSWORD"), 0);
}

struct wanted {
	struct world *world;
	int replica;
	const char *text;
	int64_t n;
};

static bool says(void *arg)
{
	const struct wanted *wanted = arg;

	return strstr(support_get(wanted->world->admin_port[wanted->replica], "/readyz"),
		   wanted->text) != NULL;
}

void world_wait_says(struct world *world, int replica, const char *text)
{
	struct wanted wanted = { world, replica, text, 0 };

	ck_assert_msg(support_wait(says, &wanted, WORLD_WAIT_MS), "not \"%s\": %s\n%s", text,
	    support_get(world->admin_port[replica], "/readyz"), world_log(world, replica));
}

void world_wait_ready(struct world *world, int replica)
{
	world_wait_says(world, replica, "200 OK");
}

void world_spawn(struct world *world, int replica, const char *extra)
{
	world_launch(world, replica, extra);
	world_wait_ready(world, replica);
}

void world_kill(struct world *world, int replica, int signal)
{
	support_end(&world->replicas[replica], signal, world->log[replica]);
}

const char *world_log(struct world *world, int replica)
{
	return support_read_file(world->log[replica]);
}

long world_metric(struct world *world, int replica, const char *name)
{
	const char *text = support_get(world->admin_port[replica], "/metrics");
	char line[96];
	const char *at;

	(void)snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr(text, line);
	ck_assert_msg(at != NULL, "no metric %s", name);
	return strtol(at + strlen(line), NULL, 10);
}

/* --- services --- */

static struct bus *bus_of(struct world *world, const char *service)
{
	for (int i = 0; i < WORLD_SERVICES; i++) {
		if (strcmp(service_names[i], service) != 0)
			continue;
		if (!world->services[i])
			world->services[i] = support_nats_bus(&world->nats, service);
		return world->services[i];
	}
	ck_abort_msg("no service %s", service);
}

void world_publish_bytes(struct world *world, const char *service, struct bytes data)
{
	struct bus *bus = bus_of(world, service);
	char subject[64], id[64];
	struct err err = ERR_INIT;
	struct bus_ack ack;

	(void)snprintf(subject, sizeof(subject), "ww.audit.%s", service);
	(void)snprintf(
	    id, sizeof(id), "m%d-%llu", (int)getpid(), (unsigned long long)++world->published);
	ck_assert_ok(bus_wait_connected(bus, WORLD_WAIT_MS, &err), err);
	ck_assert_ok(bus_publish_stored(bus, subject, id, data, NULL, &ack, &err), err);
	ck_assert(!ack.duplicate);
}

static void pack_into(struct buf *message, const char *service, Record *record)
{
	Walletwire__V1__AuditRecords alone = WALLETWIRE__V1__AUDIT_RECORDS__INIT;
	char name[32];

	(void)snprintf(name, sizeof(name), "%s", service);
	record->service = record->service[0] ? record->service : name;
	record->at_us = record->at_us ? record->at_us : clock_wall_us();
	alone.records = &record;
	alone.n_records = 1;
	message_append(message, &alone.base);
}

void world_publish_record(struct world *world, const char *service, Record *record)
{
	struct buf message = BUF_INIT;

	pack_into(&message, service, record);
	world_publish_bytes(world, service, buf_bytes(&message));
	buf_finish(&message);
}

static void append_item(
    struct buf *message, const char *service, const char *id, const char *user, uint64_t seq)
{
	Record record = WALLETWIRE__V1__AUDIT_RECORD__INIT;
	Walletwire__V1__AuditUser whom = WALLETWIRE__V1__AUDIT_USER__INIT, *users[] = { &whom };
	char name[64], text[64];

	(void)snprintf(name, sizeof(name), "%s", id);
	(void)snprintf(text, sizeof(text), "%s", user);
	record.id = name;
	record.action = WALLETWIRE__V1__AUDIT_ACTION__AUDIT_ACTION_ITEM_CREATED;
	whom.user_id = text;
	whom.seq = seq;
	record.users = users;
	record.n_users = 1;
	record.n = 1;
	pack_into(message, service, &record);
}

void world_publish(
    struct world *world, const char *service, const char *id, int records, const char *user)
{
	struct buf message = BUF_INIT;
	char name[64];

	for (int i = 0; i < records; i++) {
		(void)snprintf(name, sizeof(name), "%s-%d", id, i);
		append_item(&message, service, name, user, (uint64_t)i + 1);
	}
	world_publish_bytes(world, service, buf_bytes(&message));
	buf_finish(&message);
}

static void on_ack(
    void *arg, uint64_t tag, enum status status, struct bus_ack ack, const char *reason)
{
	(void)tag;
	(void)ack;
	(void)reason;
	if (status)
		(void)__atomic_add_fetch((int *)arg, 1, __ATOMIC_RELAXED);
}

void world_publish_many(struct world *world, const char *id, int n)
{
	struct bus *bus = bus_of(world, "notifications");
	int failed = 0;

	for (int i = 0; i < n; i++) {
		struct buf message = BUF_INIT;
		char name[64];

		(void)snprintf(name, sizeof(name), "%s-%d", id, i);
		append_item(&message, "notifications", name, "alice", (uint64_t)i + 1);
		bus_publish_stored_async(bus, "ww.audit.notifications", name, buf_bytes(&message),
		    NULL, (uint64_t)i, on_ack, &failed);
		buf_finish(&message);
	}
	bus_publish_wait(bus);
	ck_assert_int_eq(failed, 0);
}

/* --- the table --- */

void world_sql(struct world *world, const char *sql)
{
	postgres_exec(world->admin_dsn, sql);
}

static enum status ask(struct world *world, const char *sql, int64_t *ret_n, struct err *err)
{
	struct db_statement statement = { "ask", sql };
	struct db_config cfg = { .dsn = world->admin_dsn,
		.application_name = "test",
		.statements = &statement,
		.statements_len = 1 };
	struct db_params params;
	struct db *db = NULL;
	enum status s = db_open(&cfg, &db, err);

	db_params_init(&params);
	if (!s)
		s = db_run_int(db, 0, &params, ret_n, err);
	db_close(db);
	return s;
}

int64_t world_int(struct world *world, const char *sql)
{
	struct err err = ERR_INIT;
	int64_t n = 0;

	ck_assert_ok(ask(world, sql, &n, &err), err);
	return n;
}

static bool is_int(void *arg)
{
	const struct wanted *wanted = arg;
	struct err err = ERR_INIT;
	int64_t n = 0;

	/* A server that is away comes again: whoever waits has a deadline. */
	return ask(wanted->world, wanted->text, &n, &err) == STATUS_OK && n == wanted->n;
}

void world_wait_int(struct world *world, const char *sql, int64_t n)
{
	struct wanted wanted = { world, 0, sql, n };

	ck_assert_msg(support_wait(is_int, &wanted, WORLD_WAIT_MS), "%ld, not %ld: %s\n%s",
	    (long)world_int(world, sql), (long)n, sql, world_log(world, 0));
}

void world_wait_rows(struct world *world, int64_t n)
{
	world_wait_int(world, "SELECT count(*) FROM audit.records", n);
}

void world_check_gapless(struct world *world, int64_t n)
{
	ck_assert_int_eq(world_int(world, "SELECT count(*) FROM audit.records"), n);
	ck_assert_int_eq(world_int(world, "SELECT count(DISTINCT number) FROM audit.records"), n);
	ck_assert_int_eq(world_int(world, "SELECT max(number) FROM audit.records"), n);
	ck_assert_int_eq(world_int(world, "SELECT count(DISTINCT id) FROM audit.records"), n);
}

/* --- the administrator of NATS --- */

void world_admit_admin(struct world *world)
{
	static const char open[] = "users: [\n";
	const char *text = support_read_file(world->nats.conf), *at = strstr(text, open);
	struct buf edited = BUF_INIT;
	FILE *file;

	ck_assert_ptr_nonnull(at);
	at += strlen(open);
	buf_append(&edited, text, (size_t)(at - text));
	buf_append_str(&edited, "{ user: admin, password: admin }\n");
	buf_append_str(&edited, at);
	file = fopen(world->nats.conf, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(edited.data, 1, edited.len, file), edited.len);
	ck_assert_int_eq(fclose(file), 0);
	buf_finish(&edited);
	support_nats_stop(&world->nats, SIGTERM);
	support_nats_restart(&world->nats);
}

struct admin {
	natsConnection *nc;
	jsCtx *js;
};

static struct admin sign_in(struct world *world)
{
	struct admin admin = { NULL, NULL };
	char url[96];

	(void)snprintf(url, sizeof(url), "nats://admin:admin@127.0.0.1:%d", world->nats.port);
	ck_assert_int_eq(natsConnection_ConnectTo(&admin.nc, url), NATS_OK);
	ck_assert_int_eq(natsConnection_JetStream(&admin.js, admin.nc, NULL), NATS_OK);
	return admin;
}

static void sign_out(struct admin *admin)
{
	jsCtx_Destroy(admin->js);
	natsConnection_Destroy(admin->nc);
}

void world_purge(struct world *world)
{
	struct admin admin = sign_in(world);

	ck_assert_int_eq(js_PurgeStream(admin.js, STREAM_AUDIT, NULL, NULL), NATS_OK);
	sign_out(&admin);
}

void world_remove(struct world *world, uint64_t seq)
{
	struct admin admin = sign_in(world);

	ck_assert_int_eq(js_DeleteMsg(admin.js, STREAM_AUDIT, seq, NULL, NULL), NATS_OK);
	sign_out(&admin);
}

void world_recreate(struct world *world)
{
	struct admin admin = sign_in(world);

	ck_assert_int_eq(js_DeleteStream(admin.js, STREAM_AUDIT, NULL, NULL), NATS_OK);
	sign_out(&admin);
	support_nats_provision(&world->nats);
}

/* --- ww audit --- */

int world_ww(struct world *world, const char *const *words)
{
	const char *all[24] = { "audit" };
	size_t n = 1;

	while (*words)
		all[n++] = *words++;
	return run_ww(world, all);
}

const char *world_output(struct world *world)
{
	char out[320];

	(void)snprintf(out, sizeof(out), "%s/out", world->dir);
	return support_read_file(out);
}

static int verify(struct world *world)
{
	char url[320];

	(void)snprintf(url, sizeof(url), "%s/auditor.url", world->dir);
	return world_ww(world, (const char *const[]){ "verify", "--key", world->public_key,
				   "--heads", world->heads, "--database-url-file", url, NULL });
}

void world_verify_good(struct world *world)
{
	int code = verify(world);

	ck_assert_msg(code == 0, "%s", world_output(world));
}

void world_verify_broken(struct world *world, const char *text)
{
	int code = verify(world);

	ck_assert_msg(code == 1 && strstr(world_output(world), text), "not \"%s\": %s", text,
	    world_output(world));
}
