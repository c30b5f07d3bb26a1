/* Markdown from the .def tables and the descriptors. */
#include <string.h>

#include "docs.h"

#include "base/status.h"
#include "codec/reflect.h"
#include "sensitivity.h"
#include "token/token.h"
#include "walletwire/v1/client.pb-c.h"

/* --- subjects.def --- */

static void append_subjects(struct buf *out)
{
	static const struct {
		const char *subject, *kind, *message, *publishers, *subscribers;
	} rows[] = {
#define X(name, subject, kind, message, publishers, subscribers) \
	{ subject, #kind, message, publishers, subscribers },
#include "subjects.def"
#undef X
	};

	buf_append_str(out,
	    "`*` stands for one encoded id: bytes outside `[A-Za-z0-9_-]` are written `=XX`. CORE "
	    "is fire and\n"
	    "forget, STREAM is stored by JetStream and acknowledged, REQUEST is answered by one "
	    "member of a\n"
	    "queue group. The names on both sides are NATS users; a subject that stands twice has "
	    "more than\n"
	    "one rule. What a row does not name, its user may not do.\n\n"
	    "| subject | kind | message | from | to |\n| --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		buf_appendf(out, "| `%s` | %s | %s | %s | %s |\n", rows[i].subject, rows[i].kind,
		    rows[i].message, rows[i].publishers, rows[i].subscribers);
}

/* --- status.def --- */

static const char *stream_word(enum status status)
{
	switch (status_stream(status)) {
	case STREAM_ACK:
		return "done";
	case STREAM_HOLD:
		return "tried again";
	case STREAM_DLQ:
		break;
	}
	return "to `ww.dlq.event`";
}

static void append_status(struct buf *out)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };

	buf_append_str(out, "What a client finds in `error.code` of an acknowledgement. "
			    "`temporary`: the same request may\n"
			    "succeed later. An event of the stream that ends so is done, tried "
			    "again, or moved aside.\n\n"
			    "| code | temporary | event of the stream | log level | meaning |\n"
			    "| --- | --- | --- | --- | --- |\n");
	for (unsigned i = STATUS_OK + 1; i < STATUS_COUNT; i++) {
		enum status status = (enum status)i;

		buf_appendf(out, "| `%s` | %s | %s | %s | %s |\n", status_wire(status),
		    status_is_temporary(status) ? "yes" : "no", stream_word(status),
		    levels[status_log_level(status)], status_text(status));
	}
	buf_append_str(out,
	    "\n## Refused connections\n\n`data.code` of a Socket.IO `connect_error`.\n\n"
	    "| code | meaning |\n| --- | --- |\n");
	for (unsigned i = TOKEN_OK + 1; i < TOKEN_VERDICTS; i++)
		buf_appendf(out, "| `%s` | %s |\n", token_verdict_code((enum token_verdict)i),
		    token_verdict_text((enum token_verdict)i));
}

/* --- close.def --- */

static void append_close_code(struct buf *out, int code)
{
	if (code < 0)
		buf_append_str(out, "none");
	else if (code == 0)
		buf_append_str(out, "empty");
	else
		buf_appendf(out, "%d", code);
}

static void append_closes(struct buf *out)
{
	static const struct {
		const char *label, *text;
		int code;
	} rows[] = {
#define X(name, label, code, text) { label, text, code },
#include "close.def"
#undef X
	};

	buf_append_str(out, "Why an edge ends a connection. The reason is the label of "
			    "`ww_edge_closes_total`; the close\n"
			    "frame is what a WebSocket client sees (empty: no code, which every "
			    "Socket.IO client takes for a\n"
			    "loss and reconnects after).\n\n| reason | close frame | meaning |\n| "
			    "--- | --- | --- |\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_appendf(out, "| `%s` | ", rows[i].label);
		append_close_code(out, rows[i].code);
		buf_appendf(out, " | %s |\n", rows[i].text);
	}
}

/* --- events.def --- */

static void append_enum(struct buf *out, const ProtobufCEnumDescriptor *type)
{
	for (unsigned i = 1; i < type->n_values; i++) {
		char word[64];

		reflect_enum_word(type, type->values[i].value, word);
		buf_appendf(out, "%s`\"%s\"`", i > 1 ? ", " : "", word);
	}
}

static void append_keys(struct buf *out, const ProtobufCMessageDescriptor *type)
{
	for (unsigned i = 0; i < type->n_fields; i++) {
		char name[64];

		reflect_json_name(type->fields[i].name, name);
		buf_appendf(out, "%s`%s`", i > 0 ? ", " : "", name);
	}
}

static void append_keys_of(struct buf *out, const ProtobufCFieldDescriptor *field)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		buf_append_str(out, "list, each of ");
	append_keys(out, field->descriptor);
}

/* What protoc makes of a map: a repeated message of its own. */
static bool is_map_entry(const ProtobufCMessageDescriptor *type)
{
	return type->n_fields == 2 && strcmp(type->fields[0].name, "key") == 0 &&
	       strcmp(type->fields[1].name, "value") == 0;
}

static void append_message_type(struct buf *out, const ProtobufCFieldDescriptor *field)
{
	const ProtobufCMessageDescriptor *type = field->descriptor;

	if (strcmp(type->name, "google.protobuf.Timestamp") == 0)
		buf_append_str(out, "time, `\"2025-01-23T10:30:45.123Z\"`");
	else if (strcmp(type->name, "walletwire.v1.Decimal") == 0)
		buf_append_str(out, "number with its exact digits");
	else if (strcmp(type->name, "walletwire.v1.StringList") == 0)
		buf_append_str(out, "list of strings");
	else if (is_map_entry(type))
		buf_append_str(out, "object of numbers by name");
	else
		append_keys_of(out, field);
}

static void append_type(struct buf *out, const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		append_message_type(out, field);
		break;
	case PROTOBUF_C_TYPE_ENUM:
		append_enum(out, field->descriptor);
		break;
	case PROTOBUF_C_TYPE_STRING:
		buf_append_str(
		    out, field->label == PROTOBUF_C_LABEL_REPEATED ? "list of strings" : "string");
		break;
	case PROTOBUF_C_TYPE_BOOL:
		buf_append_str(out, "`true` or `false`");
		break;
	default:
		buf_append_str(out, "number");
	}
}

static void append_table(struct buf *out, const ProtobufCMessageDescriptor *type)
{
	buf_append_str(out, "\n| key | value |\n| --- | --- |\n");
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		char name[64];

		reflect_json_name(field->name, name);
		buf_appendf(out, "| `%s`%s | ", name,
		    field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF ? " (one of these)" : "");
		append_type(out, field);
		buf_append_str(out, " |\n");
	}
}

static void append_event_payload(struct buf *out, const char *kind)
{
	const ProtobufCFieldDescriptor *member = protobuf_c_message_descriptor_get_field_by_name(
	    &walletwire__v1__payload__descriptor, kind);

	append_table(out, member->descriptor);
}

/* Events of a connection itself, which no service sends. */
static void append_connection_events(struct buf *out)
{
	static const struct {
		const char *event;
		const ProtobufCMessageDescriptor *payload;
	} rows[] = {
		{ "auth:expiring", &walletwire__v1__token_end__descriptor },
		{ "server:drain", &walletwire__v1__server_drain__descriptor },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_appendf(out, "\n## `%s` (CONNECTION)\n", rows[i].event);
		append_table(out, rows[i].payload);
	}
}

static void append_events(struct buf *out)
{
	static const struct {
		const char *kind, *event, *class;
	} rows[] = {
#define X(kind, event, class) { #kind, event, #class },
#include "events.def"
#undef X
	};

	buf_append_str(out,
	    "Every event a client can be sent, and its payload. KEEP: stored, exactly once and in "
	    "order.\n"
	    "STATE: absolute, the newest arrives, older ones never overwrite it. HINT: best "
	    "effort. "
	    "LOG: a row\n"
	    "of the announcement log. CONNECTION: of the connection itself, never stored. Keys "
	    "always stand, but\n"
	    "for times, objects and exact numbers that there are none of; an empty word is an "
	    "unknown one. Inbox\n"
	    "events also carry `notification`:\n");
	append_table(out, &walletwire__v1__notification__descriptor);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_appendf(out, "\n## `%s` (%s)\n", rows[i].event, rows[i].class);
		append_event_payload(out, rows[i].kind);
	}
	append_connection_events(out);
}

/* --- what fields hold --- */

static void append_sensitivity(struct buf *out)
{
	buf_append_str(out, "What a field says is sensitive (`[(sensitivity) = ...]` in `proto/`, "
			    "where each kind is explained) "
			    "is `***`\n"
			    "in every log line and in `ww dlq list --show`. Every field of text, "
			    "bytes or money is declared, or\n"
			    "its name is one of `proto/open_names.def`; a build refuses what is "
			    "neither. What is not in this\n"
			    "table is an id, a word of the protocol or a number that counts.\n\n"
			    "| message | field | holds |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < sensitivity_rows_len; i++) {
		const struct sensitivity_row *row = &sensitivity_rows[i];

		buf_appendf(out, "| `%s` | `%s` | %s |\n", strrchr(row->message, '.') + 1,
		    row->field, sensitivity_word(row->kind));
	}
}

/* --- pages --- */

const struct docs_page docs_pages[] = {
	{ "closes", "Why an edge closes a connection", append_closes },
	{ "events", "Events that clients receive", append_events },
	{ "sensitivity", "What fields hold", append_sensitivity },
	{ "status", "Codes of failure", append_status },
	{ "subjects", "Subjects on NATS", append_subjects },
};
const size_t docs_pages_len = ARRAY_LEN(docs_pages);

void docs_append(struct buf *out, const struct docs_page *page)
{
	buf_appendf(out,
	    "# %s\n\n<!-- Generated by `ww docs %s`; edit the tables in proto/ instead. -->\n\n",
	    page->title, page->name);
	page->append(out);
}
