/* What is said of a person: by the roster, unless they do not want to be seen. */
#include "base/clock.h"
#include "presence.h"

bool presence_knows(const struct presence *presence)
{
	int64_t since = atomic_load(&presence->listening_since);

	return since > 0 && clock_mono_ms() - since >= presence->cfg->listen_first;
}

PresenceUpdate *presence_update(
    const char *user_id, PresenceStatus status, int64_t seen_us, struct arena *arena)
{
	PresenceUpdate *update = MESSAGE_NEW(arena, presence_update);

	update->user_id = arena_strdup(arena, user_id);
	update->status = status;
	if (status == PRESENCE(OFFLINE) && seen_us > 0)
		update->last_seen = message_timestamp(seen_us, arena);
	return update;
}

static PresenceUpdate *update_of(
    const struct roster *roster, const struct store_person *person, struct arena *arena)
{
	int64_t heard_us = 0;
	PresenceStatus status = roster_status(roster, person->user_id, &heard_us);

	/* Like somebody who went when they hid. */
	if (!person->is_visible)
		return presence_update(person->user_id, PRESENCE(OFFLINE), person->seen_us, arena);
	return presence_update(person->user_id, status,
	    heard_us > person->seen_us ? heard_us : person->seen_us, arena);
}

enum status presence_of(struct presence *presence, const struct store_person *people, size_t len,
    struct arena *arena, PresenceUpdate ***ret_updates, struct err *err)
{
	PresenceUpdate **updates = arena_alloc(arena, len * sizeof(*updates));

	if (!presence_knows(presence))
		return err_set(err, STATUS_UNAVAILABLE, "edges have not all been heard yet");
	(void)pthread_mutex_lock(&presence->lock);
	for (size_t i = 0; i < len; i++)
		updates[i] = update_of(presence->roster, &people[i], arena);
	(void)pthread_mutex_unlock(&presence->lock);
	*ret_updates = updates;
	return STATUS_OK;
}
