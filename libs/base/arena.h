/*
 * arena: memory that is given back all at once.
 *
 * One per request or batch: messages are decoded into it, rows copied into it, replies built in it,
 * and whoever owns it drops the lot, so handlers contain no free(). The limit bounds what input can
 * make us take; protobuf decoding gets a clean failure there (arena_allocator), our own requests
 * abort, since those sizes are ours.
 *
 * Threads: an arena belongs to one thread at a time.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "base/attrs.h"
#include "base/bytes.h"

struct arena {
	struct arena_chunk *chunks; /* newest first */
	uint8_t *next;
	size_t left;
	size_t used;  /* bytes handed out since the last reset */
	size_t limit; /* of `used`, for what arena_allocator gives out */
	ProtobufCAllocator allocator;
};

/* `limit` in bytes. Nothing is allocated yet. */
void arena_init(struct arena *arena, size_t limit);
void arena_finish(struct arena *arena);

/* Forget everything handed out; keeps one chunk for the next round. */
void arena_reset(struct arena *arena);

/* Aligned for any type, zeroed. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const void *text, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);
void *arena_memdup(struct arena *arena, const void *data, size_t len);

/* For protobuf-c: returns NULL above the limit, which makes unpacking fail; free is a no-op. */
ProtobufCAllocator *arena_allocator(struct arena *arena);

#endif
