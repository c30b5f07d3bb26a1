/* Reference-counted packets. */
#include "engine/frame.h"

#include <stdlib.h>

#include "base/xalloc.h"

static uint32_t hash_of(const char *key)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	while (*key)
		hash = (hash ^ (uint8_t)*key++) * 16777619u;
	return hash;
}

struct frame *frame_new(enum frame_class class, struct bytes data, const char *key)
{
	size_t key_size = key ? strlen(key) + 1 : 0;
	struct frame *frame = xmalloc(sizeof(*frame) + data.len + key_size);

	*frame = (struct frame){ .class = class, .len = data.len };
	atomic_init(&frame->refs, 1);
	atomic_init(&frame->packed, NULL);
	if (data.len)
		memcpy(frame->data, data.data, data.len);
	if (key) {
		frame->key = memcpy(frame->data + data.len, key, key_size);
		frame->key_hash = hash_of(key);
	}
	return frame;
}

struct frame *frame_ref(struct frame *frame)
{
	atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
	return frame;
}

void frame_unref(struct frame *frame)
{
	/* acq_rel: whoever frees must see everything that other holders read before they let go */
	if (!frame || atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_acq_rel) != 1)
		return;
	frame_unref(atomic_load_explicit(&frame->packed, memory_order_relaxed));
	free(frame);
}

struct frame *frame_packed(struct frame *frame, struct frame *(*make)(const struct frame *frame))
{
	struct frame *packed = atomic_load_explicit(&frame->packed, memory_order_acquire);
	struct frame *made;

	if (packed)
		return packed;
	made = make(frame);
	/* Two loops may make it at once: the first one stays. */
	if (made && !atomic_compare_exchange_strong(&frame->packed, &packed, made)) {
		frame_unref(made);
		return packed;
	}
	return made;
}

bool frame_same_state(const struct frame *a, const struct frame *b)
{
	return a->class == FRAME_STATE && b->class == FRAME_STATE && a->kind == b->kind &&
	       strcmp(a->key, b->key) == 0;
}
