/* Chunks of doubling size, bump-allocated. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20, KEEP_CHUNK = 1 << 16, ALIGN = 16 };

struct arena_chunk {
	struct arena_chunk *older;
	size_t size;
	_Alignas(ALIGN) uint8_t data[];
};

static void *bump(struct arena *arena, size_t size)
{
	void *ptr;

	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size > arena->left) {
		size_t chunk_size = arena->chunks ? arena->chunks->size * 2 : FIRST_CHUNK;
		struct arena_chunk *chunk;

		if (chunk_size > LARGEST_CHUNK)
			chunk_size = LARGEST_CHUNK;
		if (chunk_size < size)
			chunk_size = size;
		chunk = xmalloc(sizeof(*chunk) + chunk_size);
		chunk->size = chunk_size;
		chunk->older = arena->chunks;
		arena->chunks = chunk;
		arena->next = chunk->data;
		arena->left = chunk_size;
	}
	ptr = arena->next;
	arena->next += size;
	arena->left -= size;
	arena->used += size;
	return ptr;
}

static void *pb_alloc(void *data, size_t size)
{
	struct arena *arena = data;

	if (size > arena->limit || arena->used > arena->limit - size)
		return NULL;
	return bump(arena, size ? size : 1);
}

static void pb_free(void *data, void *ptr)
{
	(void)data;
	(void)ptr; /* given back with the arena */
}

void arena_init(struct arena *arena, size_t limit)
{
	*arena = (struct arena){ .limit = limit };
	arena->allocator = (ProtobufCAllocator){ pb_alloc, pb_free, arena };
}

void arena_finish(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *older = arena->chunks->older;

		free(arena->chunks);
		arena->chunks = older;
	}
	arena->next = NULL;
	arena->left = 0;
	arena->used = 0;
}

void arena_reset(struct arena *arena)
{
	struct arena_chunk *keep = arena->chunks;

	if (!keep)
		return;
	if (keep->size > KEEP_CHUNK) {
		arena_finish(arena);
		return;
	}
	arena->chunks = keep->older;
	arena_finish(arena);
	keep->older = NULL;
	arena->chunks = keep;
	arena->next = keep->data;
	arena->left = keep->size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *ptr = bump(arena, size ? size : 1);

	memset(ptr, 0, size);
	return ptr;
}

void *arena_memdup(struct arena *arena, const void *data, size_t len)
{
	void *copy = bump(arena, len ? len : 1);

	if (len)
		memcpy(copy, data, len);
	return copy;
}

char *arena_strndup(struct arena *arena, const void *text, size_t len)
{
	char *copy = bump(arena, len + 1);

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		len = 0;
	text = bump(arena, (size_t)len + 1);
	va_start(args, fmt);
	(void)vsnprintf(text, (size_t)len + 1, fmt, args);
	va_end(args);
	return text;
}

ProtobufCAllocator *arena_allocator(struct arena *arena)
{
	return &arena->allocator;
}
