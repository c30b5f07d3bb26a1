/* A hash of ids, and a list of them in the order in which they were added. */
#include "engine/tomb.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/xalloc.h"

enum { TOMB_MS = 30000, TOMBS_MAX = 10000 };

struct tomb {
	UT_hash_handle hh;
	struct tomb *prev, *next;
	enum tomb_kind kind;
	int64_t until_ms;
	char sid[];
};

static void remove_tomb(struct engine_loop *el, struct tomb *tomb)
{
	HASH_DEL(el->tombs, tomb);
	DL_DELETE(el->tombs_oldest, tomb);
	free(tomb);
}

void tomb_finish(struct engine_loop *el)
{
	while (el->tombs_oldest)
		remove_tomb(el, el->tombs_oldest);
}

/* No timer: each one that comes takes those with it that are over. */
void tomb_add(struct engine_loop *el, const char *sid, enum tomb_kind kind)
{
	int64_t now_ms = loop_now_ms(el->loop);
	size_t size = strlen(sid) + 1;
	struct tomb *tomb;

	while (el->tombs_oldest &&
	       (el->tombs_oldest->until_ms <= now_ms || HASH_COUNT(el->tombs) >= TOMBS_MAX))
		remove_tomb(el, el->tombs_oldest);
	HASH_FIND_STR(el->tombs, sid, tomb);
	if (tomb)
		remove_tomb(el, tomb);
	tomb = xcalloc(1, sizeof(*tomb) + size);
	tomb->kind = kind;
	tomb->until_ms = now_ms + TOMB_MS;
	memcpy(tomb->sid, sid, size);
	HASH_ADD_STR(el->tombs, sid, tomb);
	DL_APPEND(el->tombs_oldest, tomb);
}

enum tomb_kind tomb_take(struct engine_loop *el, const char *sid, bool is_get)
{
	enum tomb_kind kind;
	struct tomb *tomb;

	HASH_FIND_STR(el->tombs, sid, tomb);
	if (!tomb || tomb->until_ms <= loop_now_ms(el->loop))
		return TOMB_NONE;
	kind = tomb->kind;
	if (kind == TOMB_CLOSED && is_get)
		remove_tomb(el, tomb);
	return kind;
}
