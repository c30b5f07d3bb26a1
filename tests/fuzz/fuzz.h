/*
 * fuzz: what the targets share. An input starts with choices, a byte each; the rest of it is the
 * bytes under test. Where an input ends too early its choices are 0.
 *
 * A target states its invariants with assert(), which stays on in every build.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <assert.h>

#include "base/buf.h"

/* What libFuzzer and replay.c call. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes n bytes off the front, or what there is of them. */
static inline struct bytes fuzz_take(struct bytes *input, size_t n)
{
	struct bytes taken = bytes_of(input->data, n < input->len ? n : input->len);

	if (taken.len)
		*input = bytes_of(input->data + taken.len, input->len - taken.len);
	return taken;
}

static inline uint8_t fuzz_choice(struct bytes *input)
{
	struct bytes taken = fuzz_take(input, 1);

	return taken.len ? taken.data[0] : 0;
}

/* What stands before the next NUL, which is dropped; the text is good until the input's end. */
static inline struct bytes fuzz_take_text(struct bytes *input)
{
	const uint8_t *nul = input->len ? memchr(input->data, '\0', input->len) : NULL;
	struct bytes text = fuzz_take(input, nul ? (size_t)(nul - input->data) : input->len);

	(void)fuzz_take(input, 1);
	return text;
}

/*
 * Sizes of pieces, used in turn; 0 is all the rest, and so is what comes after many pieces: an
 * allocation for each byte would be most of what a target does.
 */
enum { FUZZ_PIECES_MAX = 40 };
struct fuzz_sizes {
	uint8_t list[4];
	unsigned next;
};

static inline struct fuzz_sizes fuzz_take_sizes(struct bytes *input)
{
	struct fuzz_sizes sizes = { .next = 0 };

	for (size_t i = 0; i < ARRAY_LEN(sizes.list); i++)
		sizes.list[i] = fuzz_choice(input);
	return sizes;
}

/* The next piece of *left. */
static inline struct bytes fuzz_take_piece(struct fuzz_sizes *sizes, struct bytes *left)
{
	size_t n = sizes->list[sizes->next++ % ARRAY_LEN(sizes->list)];

	return fuzz_take(left, n && sizes->next < FUZZ_PIECES_MAX ? n : left->len);
}

#endif
