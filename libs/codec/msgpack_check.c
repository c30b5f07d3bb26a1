/*
 * One pass over the headers. A count of values is still due at each level, and their sum can't
 * exceed the bytes left, since a value has one byte at least: that one comparison after each header
 * bounds every count, and all of them together, by the length of the message.
 */
#include "codec/msgpack_check.h"

#include <assert.h>

enum shape {
	UNKNOWN, /* 0xc1, which nothing is */
	SCALAR,
	TEXT,
	BINARY,
	ARRAY,
	MAP,
};

struct format {
	uint8_t shape;
	uint8_t length_bytes; /* of the length or count that follows, big-endian */
	uint8_t fixed;        /* bytes that follow in any case, an extension's type included */
};

/* 0xc0 to 0xdf, in the order of the specification. */
static const struct format formats[0x20] = {
	{ SCALAR, 0, 0 },                                                       /* nil */
	{ UNKNOWN, 0, 0 },                                                      /* never used */
	{ SCALAR, 0, 0 }, { SCALAR, 0, 0 },                                     /* false, true */
	{ BINARY, 1, 0 }, { BINARY, 2, 0 }, { BINARY, 4, 0 },                   /* bin */
	{ BINARY, 1, 1 }, { BINARY, 2, 1 }, { BINARY, 4, 1 },                   /* ext */
	{ SCALAR, 0, 4 }, { SCALAR, 0, 8 },                                     /* float */
	{ SCALAR, 0, 1 }, { SCALAR, 0, 2 }, { SCALAR, 0, 4 }, { SCALAR, 0, 8 }, /* uint */
	{ SCALAR, 0, 1 }, { SCALAR, 0, 2 }, { SCALAR, 0, 4 }, { SCALAR, 0, 8 }, /* int */
	{ BINARY, 0, 2 }, { BINARY, 0, 3 }, { BINARY, 0, 5 }, { BINARY, 0, 9 }, /* fixext 1 to 8 */
	{ BINARY, 0, 17 },                                                      /* fixext 16 */
	{ TEXT, 1, 0 }, { TEXT, 2, 0 }, { TEXT, 4, 0 },                         /* str */
	{ ARRAY, 2, 0 }, { ARRAY, 4, 0 }, { MAP, 2, 0 }, { MAP, 4, 0 },         /* array, map */
};

/* *ret_n is the length or count that the byte itself holds. */
static struct format format_of(uint8_t first, uint64_t *ret_n)
{
	*ret_n = 0;
	if (first < 0x80 || first >= 0xe0) /* a small number */
		return (struct format){ SCALAR, 0, 0 };
	if (first >= 0xc0)
		return formats[first - 0xc0];
	*ret_n = first & (first < 0xa0 ? 0x0f : 0x1f);
	return (struct format){ first < 0x90 ? MAP : first < 0xa0 ? ARRAY : TEXT, 0, 0 };
}

/* Drops a header and what belongs to it alone; *ret_due is the number of values to follow. */
static bool take_value(struct bytes *left, enum shape *ret_shape, uint64_t *ret_due, size_t *binary)
{
	struct format format;
	uint64_t n, skip;

	if (left->len == 0)
		return false;
	format = format_of(left->data[0], &n);
	skip = 1 + (uint64_t)format.length_bytes + format.fixed;
	if (format.shape == UNKNOWN || skip > left->len)
		return false;
	for (size_t i = 0; i < format.length_bytes; i++)
		n = n << 8 | left->data[1 + i];
	*ret_shape = format.shape;
	*ret_due = 0;
	if (format.shape == ARRAY || format.shape == MAP)
		*ret_due = format.shape == MAP ? 2 * n : n;
	else
		skip += n;
	if (skip > left->len)
		return false;
	if (format.shape == BINARY)
		*binary += (size_t)skip - 1 - format.length_bytes;
	*left = bytes_of(left->data + skip, left->len - (size_t)skip);
	return true;
}

bool msgpack_check(struct bytes packed, unsigned max_depth, size_t *ret_binary)
{
	uint64_t due[MSGPACK_DEPTH_CAP + 1] = { 1 }; /* values still to come, by level */
	uint64_t due_in_all = 1;
	unsigned depth = 0;

	assert(max_depth <= MSGPACK_DEPTH_CAP);
	*ret_binary = 0;
	while (due_in_all > 0) {
		enum shape shape;
		uint64_t inner;

		while (due[depth] == 0)
			depth--;
		if (!take_value(&packed, &shape, &inner, ret_binary))
			return false;
		due[depth]--;
		due_in_all += inner - 1;
		if (due_in_all > packed.len)
			return false;
		if (shape != ARRAY && shape != MAP)
			continue;
		if (depth == max_depth)
			return false;
		due[++depth] = inner;
	}
	return packed.len == 0;
}
