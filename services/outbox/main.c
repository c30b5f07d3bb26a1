/* ww-outbox: publishes the events that a wallet wrote in its own transactions. See README.md. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "config.h"
#include "publisher.h"
#include "stats.h"

static const char *not_ready(void *ctx)
{
	struct relay_health *health = ctx;

	return atomic_load(&health->trouble);
}

/* Blocks until told to stop; what it started is ended again in reverse order. */
static enum status serve(const void *arg, struct err *err)
{
	const struct outbox_config *cfg = arg;
	struct relay_health health = { "starting" };
	struct service_spec spec = { .name = "outbox", .ctx = &health, .not_ready = not_ready };
	struct service *service = NULL;
	struct publisher *publisher = NULL;
	char *name = NULL;
	enum status s;

	stats_register();
	s = service_new(&cfg->service, &spec, &service, err);
	if (s)
		return s;
	name = xasprintf("ww-outbox/%s", service_instance(service));
	s = publisher_start(cfg, service_bus(service), name, &health, &publisher, err);
	if (!s)
		s = service_run(service, err);
	publisher_stop(publisher);
	service_free(service);
	free(name);
	return s;
}

int main(int argc, char **argv)
{
	struct outbox_config cfg = { 0 };

	return service_main("outbox", &outbox_config_spec, &cfg, serve, argc, argv);
}
