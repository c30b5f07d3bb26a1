/*
 * Events from options. They are first written as JSON, by the types of the fields they name,
 * because then there is one parser and one set of error messages to trust.
 */
#include "event_flags.h"

#include "base/text.h"
#include "codec/json.h"
#include "codec/reflect.h"

enum { PATH_SIZE = 160 };

#define EVENT_DESCRIPTOR (&walletwire__v1__event__descriptor)
#define DECIMAL_DESCRIPTOR (&walletwire__v1__decimal__descriptor)
#define TIMESTAMP_DESCRIPTOR (&google__protobuf__timestamp__descriptor)

/* What is left to do of the --set options while the body is written. */
struct assignments {
	const struct option_list *set;
	bool used[OPTION_LIST_MAX];
};

/* The value of the next unused "path=..." or NULL. */
static const char *take_assignment(struct assignments *todo, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < todo->set->len; i++) {
		const char *pair = todo->set->at[i];

		if (!todo->used[i] && strncmp(pair, path, len) == 0 && pair[len] == '=') {
			todo->used[i] = true;
			return pair + len + 1;
		}
	}
	return NULL;
}

static enum status append_text(struct buf *out, const char *path, const char *text, struct err *err)
{
	if (!text_is_utf8(bytes_of_str(text)))
		return err_invalid(err, path, "not UTF-8");
	json_append_string(out, bytes_of_str(text));
	return STATUS_OK;
}

static bool is_text_in_json(const ProtobufCFieldDescriptor *field)
{
	return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_ENUM ||
	       field->type == PROTOBUF_C_TYPE_BYTES || field->descriptor == DECIMAL_DESCRIPTOR ||
	       field->descriptor == TIMESTAMP_DESCRIPTOR;
}

static enum status append_scalar(struct buf *out, const ProtobufCFieldDescriptor *field,
    const char *path, const char *text, struct err *err)
{
	size_t digits = strspn(text + (text[0] == '-'), "0123456789");

	if (is_text_in_json(field))
		return append_text(out, path, text, err);
	if (field->type == PROTOBUF_C_TYPE_BOOL) {
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return err_invalid(err, path, "true or false, not \"%s\"", text);
	} else if (digits == 0 || text[digits + (text[0] == '-')] != '\0') {
		return err_invalid(err, path, "a whole number, not \"%s\"", text);
	}
	buf_append_str(out, text);
	return STATUS_OK;
}

static enum status append_repeated(struct buf *out, const ProtobufCFieldDescriptor *field,
    const char *path, const char *first, struct assignments *todo, struct err *err)
{
	char separator = '[';

	for (const char *text = first; text; text = take_assignment(todo, path)) {
		enum status s;

		buf_append_char(out, separator);
		s = append_scalar(out, field, path, text, err);
		if (s)
			return s;
		separator = ',';
	}
	buf_append_char(out, ']');
	return STATUS_OK;
}

static bool has_assignments_below(const struct assignments *todo, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < todo->set->len; i++) {
		if (strncmp(todo->set->at[i], path, len) == 0 && todo->set->at[i][len] == '.')
			return true;
	}
	return false;
}

/*
 * The object of `descriptor` with what was assigned to fields whose path starts with `prefix`.
 * Messages inside messages recurse, as deep as our own protos do (two levels).
 */
static enum status append_message(struct buf *out, const ProtobufCMessageDescriptor *descriptor,
    const char *prefix, struct assignments *todo, struct err *err)
{
	char separator = '{';
	size_t start = out->len;

	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		bool nested = field->type == PROTOBUF_C_TYPE_MESSAGE && !is_text_in_json(field);
		char name[64], path[PATH_SIZE];
		const char *text;
		enum status s;

		reflect_json_name(field->name, name);
		(void)snprintf(path, sizeof(path), "%s%s", prefix, name);
		text = nested ? NULL : take_assignment(todo, path);
		if (!text && !(nested && has_assignments_below(todo, path)))
			continue;
		buf_appendf(out, "%c\"%s\":", separator, name);
		separator = ',';
		if (nested) {
			(void)snprintf(path, sizeof(path), "%s%s.", prefix, name);
			s = append_message(out, field->descriptor, path, todo, err);
		} else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
			s = append_repeated(out, field, path, text, todo, err);
		} else {
			s = append_scalar(out, field, path, text, err);
		}
		if (s)
			return s;
	}
	if (out->len == start)
		buf_append_char(out, '{');
	buf_append_char(out, '}');
	return STATUS_OK;
}

/* What one may give a value to: "severity, message, action", "sender.userId, ...". */
static void append_paths(
    struct buf *out, const ProtobufCMessageDescriptor *descriptor, const char *prefix)
{
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		char name[64], path[PATH_SIZE];

		reflect_json_name(field->name, name);
		if (field->type == PROTOBUF_C_TYPE_MESSAGE && !is_text_in_json(field)) {
			(void)snprintf(path, sizeof(path), "%s%s.", prefix, name);
			append_paths(out, field->descriptor, path);
		} else {
			buf_appendf(out, "%s%s%s", out->len ? ", " : "", prefix, name);
		}
	}
}

/* Whatever the walk over the fields did not take names no field, or names one twice. */
static enum status check_all_used(
    const struct assignments *todo, const ProtobufCFieldDescriptor *kind, struct err *err)
{
	for (size_t i = 0; i < todo->set->len; i++) {
		struct buf paths = BUF_INIT;
		enum status s;

		if (todo->used[i])
			continue;
		append_paths(&paths, kind->descriptor, "");
		if (!strchr(todo->set->at[i], '='))
			s = err_set(err, STATUS_INVALID, "--set %s: not of the form field=value",
			    todo->set->at[i]);
		else
			s = err_set(err, STATUS_INVALID,
			    "--set %s: %s has no such field, or it was set before; its fields: %s",
			    todo->set->at[i], kind->name, paths.len ? buf_str(&paths) : "none");
		buf_finish(&paths);
		return s;
	}
	return STATUS_OK;
}

static enum status append_envelope(
    struct buf *out, const struct event_flags *flags, struct err *err)
{
	const struct {
		const char *key, *text;
	} texts[] = { { "id", flags->id }, { "priority", flags->priority },
		{ "title", flags->title }, { "text", flags->text },
		{ "occurredAt", flags->occurred_at }, { "expiresAt", flags->expires_at } };

	buf_append_str(out, "{\"userIds\":[");
	for (size_t i = 0; i < flags->users.len; i++) {
		enum status s;

		if (i > 0)
			buf_append_char(out, ',');
		s = append_text(out, "userIds", flags->users.at[i], err);
		if (s)
			return s;
	}
	buf_append_char(out, ']');
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		enum status s;

		if (!texts[i].text)
			continue;
		buf_appendf(out, ",\"%s\":", texts[i].key);
		s = append_text(out, texts[i].key, texts[i].text, err);
		if (s)
			return s;
	}
	return STATUS_OK;
}

static enum status append_event(struct buf *out, const struct event_flags *flags,
    const ProtobufCFieldDescriptor *kind, struct err *err)
{
	struct assignments todo = { .set = &flags->set };
	enum status s = append_envelope(out, flags, err);

	if (s)
		return s;
	buf_appendf(out, ",\"%s\":", kind->name);
	s = append_message(out, kind->descriptor, "", &todo, err);
	if (s)
		return s;
	buf_append_char(out, '}');
	return check_all_used(&todo, kind, err);
}

enum status event_from_flags(const struct event_flags *flags, int64_t now_ms, struct arena *arena,
    Walletwire__V1__Event **ret_event, struct err *err)
{
	const ProtobufCFieldDescriptor *kind = event_find_kind(flags->kind);
	struct buf text = BUF_INIT;
	enum status s;

	if (!kind) {
		event_append_kinds(&text);
		s = err_set(err, STATUS_INVALID, "\"%s\" is not a kind of event; there are: %s",
		    flags->kind, buf_str(&text));
		buf_finish(&text);
		return s;
	}
	s = append_event(&text, flags, kind, err);
	if (s == STATUS_OK)
		s = event_from_json(buf_bytes(&text),
		    &(struct event_defaults){ .occurred_ms = now_ms }, arena, ret_event, err);
	buf_finish(&text);
	return s;
}

/* --- help --- */

static void append_value_hint(struct buf *out, const ProtobufCFieldDescriptor *field)
{
	if (field->type == PROTOBUF_C_TYPE_ENUM) {
		const ProtobufCEnumDescriptor *type = field->descriptor;

		for (unsigned i = 1; i < type->n_values; i++) {
			char word[64];

			reflect_enum_word(type, type->values[i].value, word);
			buf_appendf(out, "%s%s", i > 1 ? "|" : "", word);
		}
	} else if (field->descriptor == DECIMAL_DESCRIPTOR) {
		buf_append_str(out, "12.50");
	} else if (field->descriptor == TIMESTAMP_DESCRIPTOR) {
		buf_append_str(out, "2025-01-23T10:30:45Z");
	} else if (field->type == PROTOBUF_C_TYPE_BOOL) {
		buf_append_str(out, "true|false");
	} else if (field->type == PROTOBUF_C_TYPE_STRING) {
		buf_append_str(out, "TEXT");
	} else {
		buf_append_str(out, "NUMBER");
	}
}

static void append_fields(
    struct buf *out, const ProtobufCMessageDescriptor *descriptor, const char *prefix)
{
	for (unsigned i = 0; i < descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
		char name[64], path[PATH_SIZE];

		reflect_json_name(field->name, name);
		if (field->type == PROTOBUF_C_TYPE_MESSAGE && !is_text_in_json(field)) {
			(void)snprintf(path, sizeof(path), "%s%s.", prefix, name);
			append_fields(out, field->descriptor, path);
			continue;
		}
		buf_appendf(out, " %s%s=", prefix, name);
		append_value_hint(out, field);
	}
}

void event_print_kinds(FILE *out, const char *kind)
{
	const ProtobufCFieldDescriptor *only = kind ? event_find_kind(kind) : NULL;
	struct buf text = BUF_INIT;

	for (unsigned i = 0; i < EVENT_DESCRIPTOR->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &EVENT_DESCRIPTOR->fields[i];

		if (!event_field_is_kind(field) || (only && field != only))
			continue;
		buf_appendf(&text, "  %-13s", field->name);
		append_fields(&text, field->descriptor, "");
		buf_append_char(&text, '\n');
	}
	(void)fputs(buf_str(&text), out);
	buf_finish(&text);
}
