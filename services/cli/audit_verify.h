/*
 * audit_verify: walks the chains of the audit record and holds them against the signed heads.
 *
 * It trusts the key and nothing else: neither ww-audit, which is not asked, nor any column.
 */
#ifndef CLI_AUDIT_VERIFY_H
#define CLI_AUDIT_VERIFY_H

#include "audit_heads.h"
#include "db/db.h"

/* What is told on the way. */
struct audit_verify {
	struct db *db;
	struct audit_heads *heads; /* of all places */
	bool is_broken;            /* something was found, and printed */
};

/* All shards, each to its end or its first broken row; prints a line for each. */
enum status audit_verify_all(struct audit_verify *verify, struct err *err) MUST_CHECK;

#endif
