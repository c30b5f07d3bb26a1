/* ww-audit: keeps the audit record: append-only, hash-chained and signed. See README.md. */
#include <stdatomic.h>
#include <stdlib.h>

#include "audit.h"
#include "base/xalloc.h"
#include "config.h"
#include "stats.h"
#include "store.h"
#include "writer.h"

struct auditing {
	_Atomic(struct writer *) writer; /* NULL before it was started */
};

static const char *not_ready(void *ctx)
{
	struct auditing *auditing = ctx;
	const struct writer *writer = atomic_load(&auditing->writer);

	return writer ? writer_trouble(writer) : "starting";
}

/* Blocks until told to stop; what it started is ended again in reverse order. */
static enum status serve(const void *arg, struct err *err)
{
	const struct audit_config *cfg = arg;
	struct auditing auditing = { NULL };
	struct service_spec spec = { .name = "audit",
		.routes = audit_routes,
		.routes_len = audit_routes_len,
		.statements = store_statements,
		.statements_len = store_statements_len,
		.ctx = &auditing,
		.not_ready = not_ready };
	struct service *service = NULL;
	struct writer *writer = NULL;
	char *name;
	enum status s;

	stats_register();
	s = service_new(&cfg->service, &spec, &service, err);
	if (s)
		return s;
	name = xasprintf("ww-audit/%s", service_instance(service));
	s = writer_start(cfg, service_bus(service), name, &writer, err);
	atomic_store(&auditing.writer, writer);
	if (!s)
		s = service_run(service, err);
	atomic_store(&auditing.writer, NULL);
	writer_stop(writer);
	service_free(service);
	free(name);
	return s;
}

int main(int argc, char **argv)
{
	struct audit_config cfg = { 0 };

	return service_main("audit", &audit_config_spec, &cfg, serve, argc, argv);
}
