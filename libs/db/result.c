/* Results in PostgreSQL's binary format. What is read as something it is not, is our bug: asserts.
 */
#include <assert.h>
#include <endian.h>
#include <stdlib.h>

#include "db/conn.h"
#include "db/wire.h"

static uint16_t load16(const uint8_t *at)
{
	uint16_t wire;

	memcpy(&wire, at, sizeof(wire));
	return be16toh(wire);
}

static uint32_t load32(const uint8_t *at)
{
	uint32_t wire;

	memcpy(&wire, at, sizeof(wire));
	return be32toh(wire);
}

static uint64_t load64(const uint8_t *at)
{
	uint64_t wire;

	memcpy(&wire, at, sizeof(wire));
	return be64toh(wire);
}

static int64_t load_int(struct bytes value)
{
	switch (value.len) {
	case 0:
		return 0;
	case 2:
		return (int16_t)load16(value.data);
	case 4:
		return (int32_t)load32(value.data);
	default:
		assert(value.len == 8); /* anything else is no integer; cast it in the statement */
		return (int64_t)load64(value.data);
	}
}

size_t db_rows(const struct db_result *result)
{
	return (size_t)PQntuples(result->pg);
}

void db_result_free(struct db_result *result)
{
	if (!result)
		return;
	PQclear(result->pg);
	free(result);
}

bool db_is_null(const struct db_result *result, size_t row, size_t column)
{
	assert(row < db_rows(result) && column < (size_t)PQnfields(result->pg));
	return PQgetisnull(result->pg, (int)row, (int)column);
}

struct bytes db_get_bytes(const struct db_result *result, size_t row, size_t column)
{
	if (db_is_null(result, row, column))
		return bytes_of(NULL, 0);
	return bytes_of(PQgetvalue(result->pg, (int)row, (int)column),
	    (size_t)PQgetlength(result->pg, (int)row, (int)column));
}

const char *db_get_text(const struct db_result *result, size_t row, size_t column)
{
	/* libpq puts a NUL behind every value, and an empty string in place of a null. */
	assert(row < db_rows(result) && column < (size_t)PQnfields(result->pg));
	return PQgetvalue(result->pg, (int)row, (int)column);
}

bool db_get_bool(const struct db_result *result, size_t row, size_t column)
{
	struct bytes value = db_get_bytes(result, row, column);

	assert(value.len <= 1);
	return value.len == 1 && value.data[0] != 0;
}

int64_t db_get_int(const struct db_result *result, size_t row, size_t column)
{
	return load_int(db_get_bytes(result, row, column));
}

int64_t db_get_time(const struct db_result *result, size_t row, size_t column)
{
	struct bytes value = db_get_bytes(result, row, column);
	int64_t wire;

	assert(value.len == 0 || value.len == 8);
	if (value.len == 0)
		return 0;
	wire = (int64_t)load64(value.data);
	return wire > INT64_MAX - WIRE_EPOCH_US ? INT64_MAX : wire + WIRE_EPOCH_US; /* 'infinity' */
}

size_t db_get_array_len(const struct db_result *result, size_t row, size_t column)
{
	struct bytes value = db_get_bytes(result, row, column);

	if (value.len == 0)
		return 0;
	assert(value.len >= WIRE_ARRAY_HEADER);
	if (load32(value.data) == 0)
		return 0;
	assert(load32(value.data) == 1 && value.len >= WIRE_ARRAY_HEADER + WIRE_ARRAY_DIMENSION);
	return load32(value.data + WIRE_ARRAY_HEADER);
}

struct bytes db_get_array_text(const struct db_result *result, size_t row, size_t column, size_t i)
{
	struct bytes value = db_get_bytes(result, row, column);
	size_t at = WIRE_ARRAY_HEADER + WIRE_ARRAY_DIMENSION;

	assert(i < db_get_array_len(result, row, column));
	for (;; i--) {
		int32_t len;

		assert(at + 4 <= value.len);
		len = (int32_t)load32(value.data + at);
		at += 4;
		assert(len == WIRE_NULL || (len >= 0 && (size_t)len <= value.len - at));
		if (i == 0)
			return len == WIRE_NULL ? bytes_of(NULL, 0)
						: bytes_of(value.data + at, (size_t)len);
		at += len == WIRE_NULL ? 0 : (size_t)len;
	}
}

int64_t db_get_array_int(const struct db_result *result, size_t row, size_t column, size_t i)
{
	return load_int(db_get_array_text(result, row, column, i));
}
