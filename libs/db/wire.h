/* wire: numbers of PostgreSQL's binary format that parameters and results share. */
#ifndef DB_WIRE_H
#define DB_WIRE_H

#include <stdint.h>

/* Type ids, fixed in pg_type.dat. */
enum wire_type {
	WIRE_BOOL = 16,
	WIRE_BYTEA = 17,
	WIRE_INT8 = 20,
	WIRE_INT2 = 21,
	WIRE_INT4 = 23,
	WIRE_TEXT = 25,
	WIRE_TIMESTAMPTZ = 1184,
};

enum {
	WIRE_NULL = -1,           /* in place of an element's length */
	WIRE_ARRAY_HEADER = 12,   /* dimensions, has nulls, element type */
	WIRE_ARRAY_DIMENSION = 8, /* size, lower bound; only one dimension is used */
};

/* 2000-01-01, where PostgreSQL's time starts, in microseconds since 1970. */
#define WIRE_EPOCH_US INT64_C(946684800000000)

#endif
