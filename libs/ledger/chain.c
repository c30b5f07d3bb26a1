/* What happened to a row that does not fit is found by looking which later row would have fitted.
 */
#include "ledger/chain.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>

/* SHA-256 over two runs of bytes. Nothing but a lack of memory makes OpenSSL fail here. */
static struct ledger_hash digest(struct bytes first, struct bytes second)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct ledger_hash hash;
	unsigned len = 0;
	bool fine = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(md, first.data, first.len) == 1 &&
		    EVP_DigestUpdate(md, second.data, second.len) == 1 &&
		    EVP_DigestFinal_ex(md, hash.at, &len) == 1;

	assert(fine && len == LEDGER_HASH_LEN);
	EVP_MD_CTX_free(md);
	return hash;
}

struct ledger_hash ledger_first(int64_t shard)
{
	char name[64];
	int len = snprintf(name, sizeof(name), "walletwire-audit/1 shard %lld", (long long)shard);

	return digest(bytes_of(name, (size_t)len), bytes_of(NULL, 0));
}

struct ledger_hash ledger_next(const struct ledger_hash *before, struct bytes record)
{
	return digest(bytes_of(before->at, sizeof(before->at)), record);
}

struct ledger_hash ledger_digest(struct bytes data)
{
	return digest(data, bytes_of(NULL, 0));
}

struct ledger_hash ledger_hash_of(struct bytes data)
{
	struct ledger_hash hash = { { 0 } };

	if (data.len == sizeof(hash.at))
		memcpy(hash.at, data.data, sizeof(hash.at));
	return hash;
}

bool ledger_hash_equal(const struct ledger_hash *a, const struct ledger_hash *b)
{
	return memcmp(a->at, b->at, sizeof(a->at)) == 0;
}

static const char *const fault_texts[] = {
	[LEDGER_GOOD] = "good",
	[LEDGER_EDITED] = "edited",
	[LEDGER_MISSING] = "missing",
	[LEDGER_INSERTED] = "inserted",
	[LEDGER_REORDERED] = "reordered",
	[LEDGER_TRUNCATED] = "truncated",
	[LEDGER_REWRITTEN] = "rewritten",
};

const char *ledger_fault_text(enum ledger_fault fault)
{
	return fault_texts[fault];
}

static bool follows(const struct ledger_hash *before, const struct ledger_row *row)
{
	struct ledger_hash hash = ledger_next(before, row->record);

	return ledger_hash_equal(&hash, &row->hash);
}

/* The row that was made right behind this hash, or NULL. */
static const struct ledger_row *find_next(
    const struct ledger_hash *before, const struct ledger_row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (follows(before, &rows[i]))
			return &rows[i];
	}
	return NULL;
}

/* Was it made behind one of the others? */
static bool belongs_elsewhere(
    const struct ledger_row *row, const struct ledger_row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (&rows[i] != row && follows(&rows[i].hash, row))
			return true;
	}
	return false;
}

/* The first of these rows does not fit. */
static enum ledger_fault diagnose(
    const struct ledger_chain *chain, const struct ledger_row *rows, size_t len)
{
	if (rows[0].number <= chain->number)
		return LEDGER_INSERTED; /* the number is taken */
	if (rows[0].number > chain->number + 1)
		return LEDGER_MISSING;
	if (!find_next(&chain->hash, rows + 1, len - 1))
		return LEDGER_EDITED;
	return belongs_elsewhere(&rows[0], rows, len) ? LEDGER_REORDERED : LEDGER_INSERTED;
}

enum ledger_fault ledger_follow(
    struct ledger_chain *chain, const struct ledger_row *rows, size_t len, size_t *ret_good)
{
	for (*ret_good = 0; *ret_good < len; (*ret_good)++) {
		const struct ledger_row *row = &rows[*ret_good];

		if (row->number != chain->number + 1 || !follows(&chain->hash, row))
			return diagnose(chain, row, len - *ret_good);
		if (row->stored_us < chain->stored_us)
			return LEDGER_EDITED; /* its time */
		*chain = (struct ledger_chain){ row->number, row->stored_us, row->hash };
	}
	return LEDGER_GOOD;
}
