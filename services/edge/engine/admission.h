/*
 * admission: may this address begin another session?
 *
 * Asked for handshakes alone, before anything is made for them; requests that name a session do not
 * count. Whoever shares an address (a household, an office, a mobile network) shares its rate.
 *
 * Threads: any.
 */
#ifndef ENGINE_ADMISSION_H
#define ENGINE_ADMISSION_H

#include "http/http.h"

struct admission_config {
	const char *trusted_proxies; /* whose X-Forwarded-For is believed; see base/address.h */
	const char *exempt_networks; /* whom nobody counts */
	int64_t rate, burst;         /* sessions a second, and at once; rate 0: no limit */
};

struct admission;

/* Fails with INVALID for a list that can't be read. */
enum status admission_new(const struct admission_config *cfg, struct admission **ret_admission,
    struct err *err) MUST_CHECK;
void admission_free(struct admission *admission); /* NULL is fine */

/* 0, or after how many milliseconds to come back. */
int64_t admission_ask(struct admission *admission, const struct http_request *req) MUST_CHECK;

#endif
