/* One call of deflate(): all of the input is there, and the bound of the output is known. */
#include "http/gzip.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_WRAPPER = 16, WINDOW_BITS = 15, MEMORY_LEVEL = 9 };

void http_gzip_append(struct buf *out, struct bytes data)
{
	z_stream z = { 0 };
	size_t room;
	int result;

	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_BITS + GZIP_WRAPPER,
		MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		abort(); /* out of memory, like any other allocation */
	room = deflateBound(&z, data.len);
	z.next_in = (Bytef *)(uintptr_t)data.data; /* zlib is not const-correct by default */
	z.avail_in = (uInt)data.len;
	z.next_out = buf_reserve(out, room);
	z.avail_out = (uInt)room;
	result = deflate(&z, Z_FINISH);
	assert(result == Z_STREAM_END && "there was room for all of it");
	(void)result;
	out->len += z.total_out;
	(void)deflateEnd(&z);
}
