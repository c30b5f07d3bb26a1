/* ww.backend.audit.export: records by the time at which they were stored, a page at a time. */
#include "audit.h"
#include "base/hex.h"
#include "base/message.h"
#include "page.h"

enum { PAGE_MAX = 500, PAGE_BYTES = 160 << 10 };

typedef Walletwire__V1__AuditStored Stored;
typedef Walletwire__V1__AuditExportReply Reply;

static Stored *told(const struct store_record *record, struct arena *arena)
{
	Stored *stored = MESSAGE_NEW(arena, audit_stored);

	stored->shard = (uint32_t)record->place.shard;
	stored->number = (uint64_t)record->place.number;
	stored->stored_at = message_timestamp(record->place.stored_us, arena);
	stored->hash = arena_alloc(arena, LEDGER_HASH_TEXT_SIZE);
	hex_encode(bytes_of(record->hash.at, sizeof(record->hash.at)), stored->hash);
	/* Absent if somebody made it unreadable, which `ww audit verify` finds. */
	stored->record = ledger_record_unpack(record->packed, arena);
	return stored;
}

enum status audit_on_export(struct request *req, struct err *err)
{
	const Walletwire__V1__AuditExportRequest *in = (const void *)req->body;
	Reply *reply = MESSAGE_NEW(req->arena, audit_export_reply);
	struct store_record *records = NULL;
	struct store_page page;
	size_t len = 0, bytes = 0;
	enum status s = page_read(in->since_us, in->until_us, in->after, PAGE_MAX, &page, err);

	if (!s)
		s = audit_note_reader(req, AUDIT_ACTION(AUDIT_EXPORTED), NULL, in->asked_by, err);
	if (!s)
		s = store_all(req->db, &page, req->arena, &records, &len, err);
	if (s)
		return s;
	reply->records = arena_alloc(req->arena, len * sizeof(Stored *));
	for (size_t i = 0; i < len && bytes < PAGE_BYTES; i++) {
		bytes += records[i].packed.len;
		reply->records[reply->n_records++] = told(&records[i], req->arena);
	}
	if (reply->n_records < len || len == PAGE_MAX)
		reply->next = page_next(&records[reply->n_records - 1], req->arena);
	req->reply = &reply->base;
	return STATUS_OK;
}
