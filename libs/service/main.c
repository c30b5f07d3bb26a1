/* What the main() of every service does. */
#include <stdlib.h>

#include "log/log.h"
#include "service/service.h"

int service_main(const char *name, const struct config_spec *spec, void *cfg,
    enum status (*serve)(const void *cfg, struct err *err), int argc, char **argv)
{
	enum config_outcome outcome;
	struct err err = ERR_INIT;

	log_init(name);
	outcome = config_load(spec, cfg, argc, argv);
	if (outcome == CONFIG_RUN && serve(cfg, &err)) {
		log_failure(&err, "stopped");
		outcome = CONFIG_WRONG;
	}
	config_release(spec, cfg);
	return outcome == CONFIG_WRONG ? EXIT_FAILURE : EXIT_SUCCESS;
}
