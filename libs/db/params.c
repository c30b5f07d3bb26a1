/*
 * Parameters in PostgreSQL's binary format: big-endian integers, microseconds since 2000, arrays
 * with the header of array_recv() (dimensions, has nulls, element type; then size and lower bound).
 */
#include <assert.h>
#include <endian.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "db/db.h"
#include "db/wire.h"

/* Writes an array into memory of its exact size. */
struct array {
	uint8_t *next;
};

void db_params_init(struct db_params *params)
{
	params->len = 0;
}

void db_params_finish(struct db_params *params)
{
	for (size_t i = 0; i < params->len; i++) {
		if (!params->at[i].borrowed)
			free(params->at[i].data);
	}
	params->len = 0;
}

/* libpq only reads what it is given, its interface just does not say so: hence the cast. */
static void add_borrowed(struct db_params *params, const void *data, size_t len)
{
	assert(params->len < DB_PARAMS_MAX);
	params->at[params->len++] =
	    (struct db_param){ .data = (uint8_t *)(uintptr_t)data, .len = len, .borrowed = true };
}

static void add_small(struct db_params *params, const void *data, size_t len)
{
	struct db_param *param;

	add_borrowed(params, NULL, len);
	param = &params->at[params->len - 1];
	memcpy(param->small, data, len);
	param->data = param->small;
}

static uint64_t wire_time(int64_t wall_us)
{
	/* What lies before PostgreSQL's calendar is refused by the server; it must not wrap around
	 * here. */
	if (wall_us < INT64_MIN + WIRE_EPOCH_US)
		return htobe64((uint64_t)(INT64_MIN + 1));
	return htobe64((uint64_t)(wall_us - WIRE_EPOCH_US));
}

void db_add_null(struct db_params *params)
{
	add_borrowed(params, NULL, 0);
}

void db_add_bool(struct db_params *params, bool value)
{
	uint8_t byte = value;

	add_small(params, &byte, sizeof(byte));
}

void db_add_i16(struct db_params *params, int16_t value)
{
	uint16_t wire = htobe16((uint16_t)value);

	add_small(params, &wire, sizeof(wire));
}

void db_add_i32(struct db_params *params, int32_t value)
{
	uint32_t wire = htobe32((uint32_t)value);

	add_small(params, &wire, sizeof(wire));
}

void db_add_i64(struct db_params *params, int64_t value)
{
	uint64_t wire = htobe64((uint64_t)value);

	add_small(params, &wire, sizeof(wire));
}

void db_add_time(struct db_params *params, int64_t wall_us)
{
	uint64_t wire = wire_time(wall_us);

	add_small(params, &wire, sizeof(wire));
}

void db_add_text(struct db_params *params, const char *text)
{
	add_borrowed(params, text, text ? strlen(text) : 0);
}

void db_add_bytes(struct db_params *params, struct bytes data)
{
	add_borrowed(params, data.data, data.len);
}

static void put(struct array *array, const void *data, size_t len)
{
	if (len)
		memcpy(array->next, data, len);
	array->next += len;
}

static void put_i32(struct array *array, int32_t value)
{
	uint32_t wire = htobe32((uint32_t)value);

	put(array, &wire, sizeof(wire));
}

static void put_element(struct array *array, const void *data, size_t len)
{
	put_i32(array, (int32_t)len);
	put(array, data, len);
}

static void put_null(struct array *array)
{
	put_i32(array, WIRE_NULL);
}

/* A parameter for `len` elements whose values take `bytes` in all, with its header written. */
static struct array add_array(
    struct db_params *params, enum wire_type type, size_t len, size_t bytes, bool has_null)
{
	size_t size =
	    len ? WIRE_ARRAY_HEADER + WIRE_ARRAY_DIMENSION + len * 4 + bytes : WIRE_ARRAY_HEADER;
	struct array array;

	assert(len <= INT32_MAX / 8 && size <= INT32_MAX);
	add_borrowed(params, NULL, size);
	params->at[params->len - 1].borrowed = false;
	array.next = params->at[params->len - 1].data = xmalloc(size);
	put_i32(&array, len ? 1 : 0);
	put_i32(&array, has_null);
	put_i32(&array, (int32_t)type);
	if (len) {
		put_i32(&array, (int32_t)len);
		put_i32(&array, 1);
	}
	return array;
}

void db_add_i16_array(struct db_params *params, const int16_t *values, size_t len)
{
	struct array array = add_array(params, WIRE_INT2, len, len * 2, false);

	for (size_t i = 0; i < len; i++) {
		uint16_t wire = htobe16((uint16_t)values[i]);

		put_element(&array, &wire, sizeof(wire));
	}
}

void db_add_i32_array(struct db_params *params, const int32_t *values, size_t len)
{
	struct array array = add_array(params, WIRE_INT4, len, len * 4, false);

	for (size_t i = 0; i < len; i++) {
		uint32_t wire = htobe32((uint32_t)values[i]);

		put_element(&array, &wire, sizeof(wire));
	}
}

void db_add_i64_array(struct db_params *params, const int64_t *values, size_t len)
{
	struct array array = add_array(params, WIRE_INT8, len, len * 8, false);

	for (size_t i = 0; i < len; i++) {
		uint64_t wire = htobe64((uint64_t)values[i]);

		put_element(&array, &wire, sizeof(wire));
	}
}

void db_add_time_array(struct db_params *params, const int64_t *wall_us, size_t len)
{
	struct array array;
	size_t nulls = 0;

	for (size_t i = 0; i < len; i++)
		nulls += wall_us[i] == INT64_MIN;
	array = add_array(params, WIRE_TIMESTAMPTZ, len, (len - nulls) * 8, nulls > 0);
	for (size_t i = 0; i < len; i++) {
		uint64_t wire = wire_time(wall_us[i]);

		if (wall_us[i] == INT64_MIN)
			put_null(&array);
		else
			put_element(&array, &wire, sizeof(wire));
	}
}

void db_add_bool_array(struct db_params *params, const bool *values, size_t len)
{
	struct array array = add_array(params, WIRE_BOOL, len, len, false);

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = values[i];

		put_element(&array, &byte, sizeof(byte));
	}
}

static struct bytes text_element(const void *values, size_t i)
{
	const char *text = ((const char *const *)values)[i];

	return text ? bytes_of_str(text) : bytes_of(NULL, 0);
}

static struct bytes bytes_element(const void *values, size_t i)
{
	return ((const struct bytes *)values)[i];
}

static void add_sized_array(struct db_params *params, enum wire_type type, const void *values,
    size_t len, struct bytes (*element)(const void *values, size_t i))
{
	struct array array;
	size_t total = 0;
	bool has_null = false;

	for (size_t i = 0; i < len; i++) {
		struct bytes value = element(values, i);

		total += value.data ? value.len : 0;
		has_null |= !value.data;
	}
	array = add_array(params, type, len, total, has_null);
	for (size_t i = 0; i < len; i++) {
		struct bytes value = element(values, i);

		if (value.data)
			put_element(&array, value.data, value.len);
		else
			put_null(&array);
	}
}

void db_add_text_array(struct db_params *params, const char *const *values, size_t len)
{
	add_sized_array(params, WIRE_TEXT, values, len, text_element);
}

void db_add_bytes_array(struct db_params *params, const struct bytes *values, size_t len)
{
	add_sized_array(params, WIRE_BYTEA, values, len, bytes_element);
}
