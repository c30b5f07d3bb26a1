/* Composed anew each time it is shown: a few additions, and one encoding. */
#include "unread.h"

#include <string.h>
#include <utlist.h>

#include "announcements.h"
#include "base/arena.h"
#include "base/message.h"
#include "codec/reflect.h"
#include "socket.h"
#include "walletwire/v1/client.pb-c.h"

enum { ARENA_MAX = 1 << 20, PRIORITIES = 5 };

#define ANNOUNCEMENT "announcement"

void unread_take_counters(struct user *user, const Walletwire__V1__State *state)
{
	if (user->counters && state->version < user->counters->version)
		return;
	if (user->counters)
		walletwire__v1__state__free_unpacked(user->counters, NULL);
	user->counters = message_copy(&state->base);
}

void unread_take_marks(struct user *user, const Walletwire__V1__Marks *marks, uint64_t rev)
{
	if (!marks || (user->marks && rev < user->marks_rev))
		return;
	if (user->marks)
		walletwire__v1__marks__free_unpacked(user->marks, NULL);
	user->marks = message_copy(&marks->base);
	user->marks_rev = rev;
}

void unread_free(struct user *user)
{
	if (user->counters)
		walletwire__v1__state__free_unpacked(user->counters, NULL);
	if (user->marks)
		walletwire__v1__marks__free_unpacked(user->marks, NULL);
}

static bool is_among(const char *claim, char *const *values, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (strcmp(claim, values[i]) == 0)
			return true;
	}
	return len == 0;
}

bool unread_is_for(const struct user *user, const Walletwire__V1__Segment *segment)
{
	static const Walletwire__V1__Claims none = WALLETWIRE__V1__CLAIMS__INIT;
	const Walletwire__V1__Claims *claims =
	    user->marks && user->marks->claims ? user->marks->claims : &none;

	return !segment ||
	       (is_among(claims->country, segment->countries, segment->n_countries) &&
		   is_among(claims->language, segment->languages, segment->n_languages) &&
		   is_among(claims->tier, segment->tiers, segment->n_tiers));
}

static bool is_read(const struct user *user, uint64_t announcement_seq)
{
	const Walletwire__V1__Marks *marks = user->marks;

	if (!marks)
		return false;
	for (size_t i = 0; i < marks->n_read; i++) {
		if (marks->read[i] == announcement_seq)
			return true;
	}
	return announcement_seq <= marks->read_up_to;
}

/* By priority; all of them in the first place, which is no priority. */
static void count_live(const struct user *user, uint32_t ret_n[static PRIORITIES])
{
	const struct live *live;

	memset(ret_n, 0, PRIORITIES * sizeof(*ret_n));
	LL_FOREACH (user->el->log.live, live) {
		const Walletwire__V1__LiveAnnouncement *announcement = live->announcement;

		if (is_read(user, announcement->announcement_seq) ||
		    !unread_is_for(user, announcement->segment))
			continue;
		ret_n[0]++;
		if ((size_t)announcement->priority < PRIORITIES && announcement->priority > 0)
			ret_n[announcement->priority]++;
	}
}

uint32_t unread_total(const struct user *user)
{
	uint32_t n[PRIORITIES];

	count_live(user, n);
	return n[0] + (user->counters ? user->counters->payload->unread->total : 0);
}

static void add_type(Walletwire__V1__Unread *unread, uint32_t n, struct arena *arena)
{
	Walletwire__V1__Unread__ByTypeEntry *entry = arena_alloc(arena, sizeof(*entry));

	walletwire__v1__unread__by_type_entry__init(entry);
	entry->key = arena_strdup(arena, ANNOUNCEMENT);
	entry->value = n;
	unread->by_type[unread->n_by_type++] = entry;
}

static void add_priority(
    Walletwire__V1__Unread *unread, size_t priority, uint32_t n, struct arena *arena)
{
	Walletwire__V1__Unread__ByPriorityEntry *entry = arena_alloc(arena, sizeof(*entry));
	char name[64];
	size_t at = 0;

	reflect_enum_word(&walletwire__v1__priority__descriptor, (int)priority, name);
	while (at < unread->n_by_priority && strcmp(unread->by_priority[at]->key, name) != 0)
		at++;
	walletwire__v1__unread__by_priority_entry__init(entry);
	entry->key = arena_strdup(arena, name);
	entry->value = n + (at < unread->n_by_priority ? unread->by_priority[at]->value : 0);
	unread->by_priority[at] = entry;
	if (at == unread->n_by_priority)
		unread->n_by_priority++;
}

/* Entries are replaced, never changed: those of the counters stay as they are. */
static void compose(
    const struct user *user, Walletwire__V1__Unread *ret_unread, struct arena *arena)
{
	const Walletwire__V1__Unread *counters = user->counters->payload->unread;
	uint32_t n[PRIORITIES];

	count_live(user, n);
	*ret_unread = *counters;
	ret_unread->by_type = arena_alloc(arena, (counters->n_by_type + 1) * sizeof(void *));
	ret_unread->by_priority =
	    arena_alloc(arena, (counters->n_by_priority + PRIORITIES) * sizeof(void *));
	for (size_t i = 0; i < counters->n_by_type; i++)
		ret_unread->by_type[i] = counters->by_type[i];
	for (size_t i = 0; i < counters->n_by_priority; i++)
		ret_unread->by_priority[i] = counters->by_priority[i];
	ret_unread->total += n[0];
	ret_unread->version += user->el->log.head;
	if (n[0] > 0)
		add_type(ret_unread, n[0], arena);
	for (size_t i = 1; i < PRIORITIES; i++) {
		if (n[i] > 0)
			add_priority(ret_unread, i, n[i], arena);
	}
}

void unread_show(struct socket *socket)
{
	const struct user *user = socket->user;
	Walletwire__V1__Unread unread;
	Walletwire__V1__Payload payload = WALLETWIRE__V1__PAYLOAD__INIT;
	Walletwire__V1__State state;
	Walletwire__V1__State *states[] = { &state };
	struct delivery_state *encoded;
	struct arena arena;

	if (!user->counters)
		return;
	arena_init(&arena, ARENA_MAX);
	compose(user, &unread, &arena);
	state = *user->counters;
	payload.body_case = WALLETWIRE__V1__PAYLOAD__BODY_UNREAD;
	payload.unread = &unread;
	state.payload = &payload;
	socket->unread = unread.total;
	encoded = delivery_encode_states(states, 1);
	socket_show_state(socket, encoded);
	delivery_free_states(encoded, 1);
	arena_finish(&arena);
}
