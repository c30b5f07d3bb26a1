/* A hash of edge ids to the time their leases were heard. */
#include "lease_table.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/xalloc.h"

struct lease {
	UT_hash_handle hh;
	int64_t heard_ms;
	Walletwire__V1__EdgeLease *told; /* NULL: nothing */
	char edge_id[];
};

static struct lease *find(const struct lease_table *table, const char *edge_id)
{
	struct lease *lease;

	HASH_FIND_STR(table->leases, edge_id, lease);
	return lease;
}

static void lease_free(struct lease *lease)
{
	if (lease->told)
		walletwire__v1__edge_lease__free_unpacked(lease->told, NULL);
	free(lease);
}

/* Those that were not heard after `since_ms`. */
static void drop_older(struct lease_table *table, int64_t since_ms)
{
	struct lease *lease, *next;

	HASH_ITER (hh, table->leases, lease, next) {
		if (lease->heard_ms > since_ms)
			continue;
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked before it is freed */
		HASH_DEL(table->leases, lease);
		lease_free(lease);
	}
}

void lease_table_finish(struct lease_table *table)
{
	drop_older(table, INT64_MAX);
}

void lease_table_heard(struct lease_table *table, const char *edge_id, int64_t now_ms)
{
	struct lease *lease = find(table, edge_id);
	size_t size = strlen(edge_id) + 1;

	if (!lease) {
		lease = xcalloc(1, sizeof(*lease) + size);
		memcpy(lease->edge_id, edge_id, size);
		HASH_ADD_STR(table->leases, edge_id, lease);
	}
	lease->heard_ms = now_ms;
}

void lease_table_heard_own(struct lease_table *table, int64_t now_ms)
{
	if (!table->heard_ms || now_ms - table->heard_ms > LEASE_LATE_MS)
		table->trusted_ms = now_ms;
	table->heard_ms = now_ms;
	drop_older(table, now_ms - LEASE_MS);
}

void lease_table_tell(
    struct lease_table *table, const char *edge_id, Walletwire__V1__EdgeLease *taken)
{
	struct lease *lease = find(table, edge_id);
	Walletwire__V1__EdgeLease *before = taken;

	if (lease) {
		before = lease->told;
		lease->told = taken;
	}
	if (before)
		walletwire__v1__edge_lease__free_unpacked(before, NULL);
}

void lease_table_each(const struct lease_table *table,
    void (*fn)(void *arg, const Walletwire__V1__EdgeLease *lease), void *arg)
{
	const struct lease *lease, *next;

	HASH_ITER (hh, table->leases, lease, next) {
		if (lease->told)
			fn(arg, lease->told);
	}
}

void lease_table_forget(struct lease_table *table, const char *edge_id)
{
	struct lease *lease = find(table, edge_id);

	if (!lease)
		return;
	HASH_DEL(table->leases, lease);
	lease_free(lease);
}

void lease_table_doubt(struct lease_table *table)
{
	table->heard_ms = 0;
}

bool lease_table_rules_out(const struct lease_table *table, const char *edge_id, int64_t now_ms)
{
	return table->heard_ms && now_ms - table->heard_ms <= LEASE_LATE_MS &&
	       now_ms - table->trusted_ms >= LEASE_MS && !find(table, edge_id);
}
