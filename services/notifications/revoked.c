/* The row comes first: what is in the bucket alone would be gone with it. */
#include "revoked.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/subject.h"
#include "bus/provision.h"
#include "store.h"

enum status revoked_put(
    struct bus *bus, const char *kind, const char *id, int64_t issued_before_us, struct err *err)
{
	char token[SUBJECT_TOKEN_SIZE];
	char key[SUBJECT_SIZE];
	char value[24];
	enum status s = subject_encode(bytes_of_str(id), token, err);

	if (s)
		return s;
	(void)snprintf(key, sizeof(key), "%s.%s", kind, token);
	(void)snprintf(value, sizeof(value), "%" PRId64, issued_before_us / 1000000);
	return bus_kv_put(bus, BUCKET_REVOKED, key, bytes_of_str(value), err);
}

static enum status copy_one(
    void *arg, const char *kind, const char *id, int64_t issued_before_us, struct err *err)
{
	return revoked_put(arg, kind, id, issued_before_us, err);
}

enum status revoked_copy(struct db *db, struct bus *bus, struct err *err)
{
	enum status s = store_revocations(db, copy_one, bus, err);

	return s ? err_prefix(err, "copy the revocations") : s;
}
