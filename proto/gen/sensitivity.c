/*
 * Reads a descriptor set (protoc --descriptor_set_out) and writes the table of sensitivity.h: every
 * field of the package that is not open. Fails, naming each, if a field that could hold something
 * sensitive says nothing.
 *
 *   ww-gen-sensitivity DESCRIPTOR_SET OPEN_NAMES > sensitivity.c
 *
 * Runs at build time on our own files alone. protobuf-c has no extensions: an option that one
 * declares is an unknown field of FieldOptions.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "google/protobuf/descriptor.pb-c.h"
#include "walletwire/v1/sensitivity.pb-c.h"

enum { OPTION_NUMBER = 50017, FILE_MAX = 1 << 20, NAMES_MAX = 200, NAME_MAX_LEN = 200 };

#define PACKAGE "walletwire.v1"

typedef Google__Protobuf__FieldDescriptorProto field_proto;
typedef Google__Protobuf__DescriptorProto message_proto;

static struct {
	char *names[NAMES_MAX];
	bool used[NAMES_MAX];
	size_t len;
} open_names;

static size_t rows, wrong;

static void die(const char *what, const char *path)
{
	(void)fprintf(stderr, "ww-gen-sensitivity: %s: %s\n", path, what);
	exit(EXIT_FAILURE);
}

/* NUL-terminated, for the life of the program. */
static char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	char *data = malloc(FILE_MAX);

	if (!file || !data)
		die(strerror(errno), path);
	*ret_len = fread(data, 1, FILE_MAX - 1, file);
	if (ferror(file) || !feof(file))
		die("can't be read, or is larger than 1 MiB", path);
	(void)fclose(file);
	data[*ret_len] = '\0';
	return data;
}

static void read_open_names(const char *path)
{
	size_t len;
	char *rest = read_file(path, &len), *line;

	while ((line = strsep(&rest, "\n"))) {
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (open_names.len == NAMES_MAX)
			die("too many names", path);
		open_names.names[open_names.len++] = line;
	}
}

static bool is_open_name(const char *name)
{
	for (size_t i = 0; i < open_names.len; i++) {
		if (strcmp(open_names.names[i], name) == 0) {
			open_names.used[i] = true;
			return true;
		}
	}
	return false;
}

static Walletwire__V1__Sensitivity__Kind declared(const field_proto *field)
{
	const ProtobufCMessage *options = field->options ? &field->options->base : NULL;

	for (unsigned i = 0; options && i < options->n_unknown_fields; i++) {
		const ProtobufCMessageUnknownField *unknown = &options->unknown_fields[i];

		if (unknown->tag == OPTION_NUMBER && unknown->len == 1)
			return (Walletwire__V1__Sensitivity__Kind)unknown->data[0];
	}
	return WALLETWIRE__V1__SENSITIVITY__KIND__UNDECLARED;
}

static bool holds_text(const field_proto *field)
{
	return field->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING ||
	       field->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_BYTES;
}

/* A map is a list of entries, which are messages inside of the one that has it: key = 1, value = 2.
 */
static bool is_map_of_text(const message_proto *message, const field_proto *field)
{
	const char *type = strrchr(field->type_name, '.') + 1;

	for (size_t i = 0; i < message->n_nested_type; i++) {
		const message_proto *entry = message->nested_type[i];

		if (strcmp(entry->name, type) == 0)
			return holds_text(entry->field[1]);
	}
	return false;
}

static bool must_be_declared(const message_proto *message, const field_proto *field)
{
	if (field->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_STRING)
		return !is_open_name(field->name);
	if (field->type == GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_MESSAGE)
		return strcmp(field->type_name, "." PACKAGE ".Decimal") == 0 ||
		       is_map_of_text(message, field);
	return holds_text(field);
}

static void add_field(const char *name, const message_proto *message, const field_proto *field)
{
	Walletwire__V1__Sensitivity__Kind kind = declared(field);

	if (kind == WALLETWIRE__V1__SENSITIVITY__KIND__UNDECLARED) {
		if (!must_be_declared(message, field))
			return;
		(void)fprintf(stderr,
		    "ww-gen-sensitivity: %s.%s does not say what it holds: add [(sensitivity) = "
		    "...], see "
		    "walletwire/v1/sensitivity.proto, or its name to open_names.def\n",
		    name, field->name);
		wrong++;
	} else if (kind != WALLETWIRE__V1__SENSITIVITY__KIND__OPEN) {
		(void)printf(
		    "\t{ \"%s\", \"%s\", (sensitivity)%d },\n", name, field->name, (int)kind);
		rows++;
	}
}

static int fields_by_name(const void *a, const void *b)
{
	return strcmp((*(field_proto *const *)a)->name, (*(field_proto *const *)b)->name);
}

static void add_message(const message_proto *message)
{
	char name[NAME_MAX_LEN];

	if (snprintf(name, sizeof(name), "%s.%s", PACKAGE, message->name) >= (int)sizeof(name))
		die("its name is too long", message->name);
	if (message->n_field)
		qsort(message->field, message->n_field, sizeof(message->field[0]), fields_by_name);
	for (size_t i = 0; i < message->n_field; i++)
		add_field(name, message, message->field[i]);
	/* The field of a map speaks for its entries; others would be out of the table's order. */
	for (size_t i = 0; i < message->n_nested_type; i++) {
		const Google__Protobuf__MessageOptions *options = message->nested_type[i]->options;

		if (!options || !options->map_entry)
			die("a message inside of another one: put it beside", name);
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(message_proto *const *)a)->name, (*(message_proto *const *)b)->name);
}

static void add_all(const Google__Protobuf__FileDescriptorSet *set)
{
	static message_proto *messages[1000];
	size_t n = 0;

	for (size_t i = 0; i < set->n_file; i++) {
		if (strcmp(set->file[i]->package, PACKAGE) != 0)
			continue;
		for (size_t k = 0; k < set->file[i]->n_message_type; k++) {
			if (n == sizeof(messages) / sizeof(messages[0]))
				die("too many messages", set->file[i]->name);
			messages[n++] = set->file[i]->message_type[k];
		}
	}
	qsort(messages, n, sizeof(messages[0]), by_name);
	for (size_t i = 0; i < n; i++)
		add_message(messages[i]);
}

static void check_open_names(const char *path)
{
	for (size_t i = 0; i < open_names.len; i++) {
		if (!open_names.used[i]) {
			(void)fprintf(stderr, "ww-gen-sensitivity: %s: no field is named '%s'\n",
			    path, open_names.names[i]);
			wrong++;
		}
	}
}

int main(int argc, char **argv)
{
	Google__Protobuf__FileDescriptorSet *set;
	size_t len;
	char *data;

	if (argc != 3) {
		(void)fputs("usage: ww-gen-sensitivity DESCRIPTOR_SET OPEN_NAMES > sensitivity.c\n",
		    stderr);
		return EXIT_FAILURE;
	}
	data = read_file(argv[1], &len);
	set = google__protobuf__file_descriptor_set__unpack(NULL, len, (const uint8_t *)data);
	if (!set)
		die("is no descriptor set", argv[1]);
	read_open_names(argv[2]);
	(void)puts("/* Made by proto/gen/sensitivity.c. */\n#include \"sensitivity.h\"\n\n"
		   "const struct sensitivity_row sensitivity_rows[] = {");
	add_all(set);
	(void)printf("};\nconst size_t sensitivity_rows_len = %zu;\n", rows);
	check_open_names(argv[2]);
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
	free(data);
	return wrong || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
