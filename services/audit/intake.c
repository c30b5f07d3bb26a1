/* Rows point into the arena, and lie in a buffer that grows. */
#include "intake.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "ledger/split.h"
#include "own.h"

/* Clocks of services differ; a record whose time is further ahead is looked for everywhere. */
static const int64_t SKEW_US = INT64_C(24) * 3600 * 1000000;

void intake_init(struct intake *intake, int64_t shards)
{
	*intake = (struct intake){ .shards = shards };
	arena_init(&intake->arena, SIZE_MAX);
}

void intake_finish(struct intake *intake)
{
	arena_finish(&intake->arena);
	buf_finish(&intake->rows);
	buf_finish(&intake->pieces);
}

void intake_begin(struct intake *intake, int64_t born, int64_t now_us)
{
	arena_reset(&intake->arena);
	intake->rows.len = intake->pieces.len = 0;
	intake->gaps = intake->lost = 0;
	intake->born = born;
	intake->now_us = now_us;
}

struct intake_row *intake_rows(const struct intake *intake, size_t *ret_len)
{
	*ret_len = intake->rows.len / sizeof(struct intake_row);
	return (struct intake_row *)(void *)intake->rows.data;
}

const struct intake_piece *intake_pieces(const struct intake *intake, size_t *ret_len)
{
	*ret_len = intake->pieces.len / sizeof(struct intake_piece);
	return (const struct intake_piece *)(const void *)intake->pieces.data;
}

/* FNV-1a: the same on every machine and for ever. */
static int64_t shard_of(const struct intake *intake, const char *service)
{
	uint32_t hash = 2166136261U;

	for (const char *c = service; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619U;
	return (int64_t)(hash % (uint32_t)intake->shards);
}

static void add_row(struct intake *intake, const AuditRecord *record, struct bytes packed)
{
	struct intake_row row = { .id = record->id,
		.record = packed,
		.at_us = record->at_us,
		.action = (int32_t)record->action,
		.shard = shard_of(intake, record->service) };

	row.users = ledger_record_users(record, &intake->arena, &row.users_len);
	buf_append(&intake->rows, &row, sizeof(row));
}

static void add_own(struct intake *intake, const struct own_record *own)
{
	struct bytes packed = own_pack(own, &intake->arena);

	add_row(intake, ledger_record_unpack(packed, &intake->arena), packed);
}

static void add_piece(struct intake *intake, const char *subject, uint64_t seq, struct bytes data)
{
	char why[LEDGER_HASH_TEXT_SIZE];
	struct ledger_hash hash = ledger_digest(data);
	struct intake_piece piece = { .data = data,
		.subject = arena_strdup(&intake->arena, subject),
		.row = intake->rows.len / sizeof(struct intake_row) };
	struct own_record own = { .id = arena_printf(&intake->arena,
				      "unreadable-%" PRId64 "-%" PRIu64, intake->born, seq),
		.action = AUDIT_ACTION(AUDIT_UNREADABLE),
		.why = why,
		.up_to = seq,
		.n = data.len,
		.at_us = intake->now_us };

	hex_encode(bytes_of(hash.at, sizeof(hash.at)), why);
	add_own(intake, &own);
	buf_append(&intake->pieces, &piece, sizeof(piece));
}

/* The last token is the NATS user who published: no service may speak for another. */
static bool is_of(const AuditRecord *record, const char *subject)
{
	const char *dot = strrchr(subject, '.');

	return dot && strcmp(dot + 1, record->service) == 0;
}

void intake_message(struct intake *intake, const char *subject, uint64_t seq, struct bytes data)
{
	struct bytes rest = bytes_of(arena_memdup(&intake->arena, data.data, data.len), data.len);
	struct bytes next = rest, packed;

	while (ledger_split(&next, &packed)) {
		const AuditRecord *record = ledger_record_unpack(packed, &intake->arena);

		if (!record || !is_of(record, subject))
			break;
		add_row(intake, record, packed);
		rest = next;
	}
	if (rest.len > 0 || data.len == 0)
		add_piece(intake, subject, seq, rest);
}

void intake_gap(struct intake *intake, const char *why, uint64_t up_to, uint64_t n)
{
	struct own_record own = { .id = arena_printf(&intake->arena,
				      "gap-%s-%" PRId64 "-%" PRIu64 "-%" PRIu64, why, intake->born,
				      up_to, n),
		.action = AUDIT_ACTION(AUDIT_GAP),
		.why = why,
		.up_to = up_to,
		.n = n,
		.at_us = intake->now_us };

	add_own(intake, &own);
	intake->gaps++;
	intake->lost += (int64_t)n;
}

void intake_key_changed(struct intake *intake, const char *key_id, uint64_t up_to)
{
	struct own_record own = { .id = arena_printf(
				      &intake->arena, "key-%s-%" PRIu64, key_id, up_to),
		.action = AUDIT_ACTION(AUDIT_KEY_CHANGED),
		.why = key_id,
		.up_to = up_to,
		.at_us = intake->now_us };

	add_own(intake, &own);
}

/* --- rows that are stored already --- */

/* Those of one id side by side, the first one first: rows lie in their order. */
static int by_id(const void *a, const void *b)
{
	const struct intake_row *one = *(struct intake_row *const *)a;
	const struct intake_row *other = *(struct intake_row *const *)b;
	int order = strcmp(one->id, other->id);

	return order ? order : (one > other) - (one < other);
}

void intake_find_repeated(struct intake *intake)
{
	size_t len;
	struct intake_row *rows = intake_rows(intake, &len);
	struct intake_row **sorted = arena_alloc(&intake->arena, len * sizeof(struct intake_row *));

	for (size_t i = 0; i < len; i++)
		sorted[i] = &rows[i];
	qsort((void *)sorted, len, sizeof(*sorted), by_id);
	for (size_t i = 1; i < len; i++)
		sorted[i]->is_known = strcmp(sorted[i]->id, sorted[i - 1]->id) == 0;
}

int64_t intake_since(const struct intake *intake)
{
	size_t len;
	const struct intake_row *rows = intake_rows(intake, &len);
	int64_t since = intake->now_us;

	for (size_t i = 0; i < len; i++) {
		if (rows[i].at_us > intake->now_us + SKEW_US)
			return 0;
		if (rows[i].at_us < since)
			since = rows[i].at_us;
	}
	return since > SKEW_US ? since - SKEW_US : 0;
}

void intake_number(struct intake *intake, struct ledger_chain *chains, int64_t stored_us)
{
	size_t len;
	struct intake_row *rows = intake_rows(intake, &len);

	for (size_t i = 0; i < len; i++) {
		struct ledger_chain *chain = &chains[rows[i].shard];

		if (rows[i].is_known)
			continue;
		rows[i].number = ++chain->number;
		rows[i].hash = chain->hash = ledger_next(&chain->hash, rows[i].record);
		chain->stored_us = stored_us;
	}
}
