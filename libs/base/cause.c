/* The rows of cause.def, looked up by number. */
#include "base/cause.h"

#include <assert.h>

static const char *const texts[CAUSE_COUNT] = {
#define X(name, label, text) text,
#include "cause.def"
#undef X
};

const char *cause_text(enum cause cause)
{
	assert((unsigned)cause < CAUSE_COUNT);
	return texts[cause];
}
