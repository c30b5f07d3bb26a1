/* Who is asking, is that anybody who counts, and how often was it of late? */
#include "engine/admission.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "http/visitors.h"

enum { ADDRESSES_REMEMBERED = 100000 };

struct admission {
	struct networks *trusted, *exempt;
	struct visitors *visitors; /* NULL: no limit */
};

static enum status read_list(
    const char *name, const char *text, struct networks **ret_networks, struct err *err)
{
	enum status s = networks_new(text, ret_networks, err);

	return s ? err_prefix(err, "%s", name) : STATUS_OK;
}

enum status admission_new(
    const struct admission_config *cfg, struct admission **ret_admission, struct err *err)
{
	struct admission *admission = xcalloc(1, sizeof(*admission));
	enum status s =
	    read_list("trusted-proxies", cfg->trusted_proxies, &admission->trusted, err);

	if (!s)
		s = read_list("exempt-networks", cfg->exempt_networks, &admission->exempt, err);
	if (s) {
		admission_free(admission);
		return s;
	}
	if (cfg->rate)
		admission->visitors =
		    visitors_new(rate_rule(cfg->rate, cfg->burst), ADDRESSES_REMEMBERED);
	*ret_admission = admission;
	return STATUS_OK;
}

void admission_free(struct admission *admission)
{
	if (!admission)
		return;
	networks_free(admission->trusted);
	networks_free(admission->exempt);
	visitors_free(admission->visitors);
	free(admission);
}

int64_t admission_ask(struct admission *admission, const struct http_request *req)
{
	struct address address;

	if (!admission->visitors)
		return 0;
	/* Those without an address would count as one; there are none on a TCP port. */
	if (!http_client_address(req, admission->trusted, &address))
		address = (struct address){ 0 };
	if (networks_have(admission->exempt, &address))
		return 0;
	return visitors_admit(admission->visitors, &address, clock_mono_us());
}
