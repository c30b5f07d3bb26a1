/*
 * The binary format of COPY (PostgreSQL manual, COPY, "Binary Format"): a signature, flags and the
 * length of an extension, both 0; rows as a number of fields, each with its length; -1 at the end.
 */
#include <assert.h>
#include <endian.h>
#include <limits.h>
#include <stdio.h>

#include "db/conn.h"
#include "db/wire.h"

/* With its NUL, which is its last byte. */
static const char signature[11] = "PGCOPY\n\377\r\n";

static void put_i16(struct buf *data, int16_t value)
{
	uint16_t wire = htobe16((uint16_t)value);

	buf_append(data, &wire, sizeof(wire));
}

static void put_i32(struct buf *data, int32_t value)
{
	uint32_t wire = htobe32((uint32_t)value);

	buf_append(data, &wire, sizeof(wire));
}

void db_copy_begin(struct db_copy *copy)
{
	*copy = (struct db_copy){ BUF_INIT };
	buf_append(&copy->data, signature, sizeof(signature));
	put_i32(&copy->data, 0);
	put_i32(&copy->data, 0);
}

void db_copy_row(struct db_copy *copy, struct db_params *row)
{
	put_i16(&copy->data, (int16_t)row->len);
	for (size_t i = 0; i < row->len; i++) {
		const struct db_param *field = &row->at[i];

		put_i32(&copy->data, field->data ? (int32_t)field->len : WIRE_NULL);
		if (field->data)
			buf_append(&copy->data, field->data, field->len);
	}
	db_params_finish(row);
}

enum status db_copy_run(
    struct db *db, const char *table, const char *columns, struct db_copy *copy, struct err *err)
{
	char what[96], sql[512];
	int len =
	    snprintf(sql, sizeof(sql), "COPY %s (%s) FROM STDIN (FORMAT binary)", table, columns);
	enum status s = conn_ensure(db, err);

	assert(len < (int)sizeof(sql) && db->later_len == 0);
	(void)snprintf(what, sizeof(what), "copy into %s", table);
	put_i16(&copy->data, -1);
	assert(copy->data.len <= INT_MAX);
	if (!s)
		s = conn_copy(db, what, sql, buf_bytes(&copy->data), err);
	buf_finish(&copy->data);
	return s;
}
