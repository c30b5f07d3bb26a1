/*
 * audit_verify: walks the chains of the audit record and holds them against the signed heads.
 *
 * It trusts the keys and nothing else: neither ww-audit, which is not asked, nor any column.
 */
#ifndef CLI_AUDIT_VERIFY_H
#define CLI_AUDIT_VERIFY_H

#include "audit_heads.h"
#include "audit_store.h"
#include "db/db.h"

/* What is told on the way. */
struct audit_verify {
	struct db *db;
	struct audit_heads *heads; /* of all places */
	bool is_broken;            /* something was found, and printed */
	struct audit_verdict {
		enum ledger_fault fault;
		int64_t sealed; /* number of the last head that fits */
	} shards[AUDIT_SHARDS_MAX];
};

/* All shards, each to its end or its first broken row; prints a line for each. */
enum status audit_verify_all(struct audit_verify *verify, struct err *err) MUST_CHECK;

#endif
