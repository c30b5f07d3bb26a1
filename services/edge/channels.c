/* Own channels are bits, tracked transfers a list. */
#include "channels.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/attrs.h"
#include "base/subject.h"
#include "base/xalloc.h"
#include "metrics.h"
#include "rooms.h"
#include "transfers.h"
#include "user.h"

static const struct own_channel {
	const char *prefix;
	Walletwire__V1__ChannelKind kind;
} own_channels[] = {
	{ "user:", WALLETWIRE__V1__CHANNEL_KIND__CHANNEL_KIND_USER },
	{ "balance:", WALLETWIRE__V1__CHANNEL_KIND__CHANNEL_KIND_BALANCE },
	{ "transactions:", WALLETWIRE__V1__CHANNEL_KIND__CHANNEL_KIND_TRANSACTIONS },
};

#define TRANSFER_PREFIX "transfer:"
#define ROOM_PREFIX "room:"

/* 0 for kinds that a newer service knows and this edge does not. */
static unsigned bit(Walletwire__V1__ChannelKind kind)
{
	return (unsigned)kind < 32 ? 1u << kind : 0;
}

static bool starts_with(struct bytes name, const char *prefix, struct bytes *ret_rest)
{
	size_t len = strlen(prefix);

	if (name.len < len || memcmp(name.data, prefix, len) != 0)
		return false;
	*ret_rest = bytes_of(name.data + len, name.len - len);
	return true;
}

bool channel_is_room(struct bytes name, struct bytes *ret_room_id)
{
	return starts_with(name, ROOM_PREFIX, ret_room_id);
}

enum status channels_check_limit(const struct socket *socket, struct err *err)
{
	size_t joined = socket->tracked_len + socket->views_len + ARRAY_LEN(own_channels);

	if (joined < (size_t)edge_loop_of(socket->session)->edge->cfg.max_channels)
		return STATUS_OK;
	count_event_refused(EVENT_CHANNELS);
	return err_set(err, STATUS_RATE_LIMITED, "too many channels are joined");
}

void channels_join_own(struct socket *socket)
{
	for (size_t i = 0; i < ARRAY_LEN(own_channels); i++)
		socket->own_channels |= bit(own_channels[i].kind);
}

static void forget(struct socket *socket, struct tracked *tracked)
{
	loop_timer_disarm(socket->session->el->loop, &tracked->timer);
	LL_DELETE(socket->tracked, tracked);
	socket->tracked_len--;
	free(tracked);
}

void channels_leave_all(struct socket *socket)
{
	while (socket->tracked)
		forget(socket, socket->tracked);
	rooms_leave_all(socket);
	socket->own_channels = 0;
}

struct tracked *channel_tracked(const struct socket *socket, struct bytes id)
{
	struct tracked *tracked;

	LL_FOREACH (socket->tracked, tracked) {
		if (bytes_equal_str(id, tracked->id))
			return tracked;
	}
	return NULL;
}

enum status channel_track(struct socket *socket, struct bytes transfer_id, struct err *err)
{
	struct tracked *tracked;
	enum status s;

	if (transfer_id.len == 0 || transfer_id.len > SUBJECT_ID_MAX)
		return err_invalid(err, "transferId", "1 to %d bytes are allowed", SUBJECT_ID_MAX);
	if (channel_tracked(socket, transfer_id))
		return STATUS_OK;
	s = channels_check_limit(socket, err);
	if (s)
		return s;
	tracked = xcalloc(1, sizeof(*tracked) + transfer_id.len + 1);
	memcpy(tracked->id, transfer_id.data, transfer_id.len);
	tracked->socket = socket;
	LL_PREPEND(socket->tracked, tracked);
	socket->tracked_len++;
	transfer_await(tracked);
	return STATUS_OK;
}

void channel_untrack(struct socket *socket, struct bytes transfer_id)
{
	struct tracked *tracked = channel_tracked(socket, transfer_id);

	if (tracked)
		forget(socket, tracked);
}

/* The bit of one of the user's own channels, 0 if it is none of them; FORBIDDEN for another user's.
 */
static enum status own_channel(
    const struct socket *socket, struct bytes name, unsigned *ret_bit, struct err *err)
{
	struct bytes user;

	*ret_bit = 0;
	for (size_t i = 0; i < ARRAY_LEN(own_channels); i++) {
		if (!starts_with(name, own_channels[i].prefix, &user))
			continue;
		if (!bytes_equal_str(user, socket->user->id))
			return err_set(
			    err, STATUS_FORBIDDEN, "the channel belongs to somebody else");
		*ret_bit = bit(own_channels[i].kind);
	}
	return STATUS_OK;
}

static enum status no_such_channel(struct err *err)
{
	return err_set(err, STATUS_NOT_FOUND,
	    "a channel is user:, balance: or transactions: and your user id, or transfer: or room: "
	    "and its id");
}

enum status channel_join(struct socket *socket, struct bytes name, struct err *err)
{
	struct bytes id;
	unsigned own;
	enum status s = own_channel(socket, name, &own, err);

	if (s)
		return s;
	if (own)
		socket->own_channels |= own;
	else if (starts_with(name, TRANSFER_PREFIX, &id))
		return channel_track(socket, id, err);
	else
		return no_such_channel(err);
	return STATUS_OK;
}

enum status channel_leave(struct socket *socket, struct bytes name, struct err *err)
{
	struct bytes id;
	unsigned own;
	enum status s = own_channel(socket, name, &own, err);

	if (s)
		return s;
	if (own)
		socket->own_channels &= ~own;
	else if (starts_with(name, TRANSFER_PREFIX, &id))
		channel_untrack(socket, id);
	else if (channel_is_room(name, &id))
		room_leave(socket, id);
	else
		return no_such_channel(err);
	return STATUS_OK;
}

static bool has_left(const struct socket *socket, const struct own_channel *channel)
{
	return !(socket->own_channels & bit(channel->kind));
}

bool channels_are_as_given(const struct socket *socket)
{
	for (size_t i = 0; i < ARRAY_LEN(own_channels); i++) {
		if (has_left(socket, &own_channels[i]))
			return false;
	}
	return !socket->tracked && !socket->views;
}

void channels_describe(
    const struct socket *socket, struct arena *arena, Walletwire__V1__Tracking *ret_tracking)
{
	struct tracked *tracked;

	walletwire__v1__tracking__init(ret_tracking);
	ret_tracking->left =
	    arena_alloc(arena, ARRAY_LEN(own_channels) * sizeof(*ret_tracking->left));
	ret_tracking->transfers =
	    arena_alloc(arena, (socket->tracked_len + 1) * sizeof(*ret_tracking->transfers));
	for (size_t i = 0; i < ARRAY_LEN(own_channels); i++) {
		if (has_left(socket, &own_channels[i]))
			ret_tracking->left[ret_tracking->n_left++] = own_channels[i].kind;
	}
	LL_FOREACH (socket->tracked, tracked)
		ret_tracking->transfers[ret_tracking->n_transfers++] = tracked->id;
	ret_tracking->rooms = rooms_of(socket, arena, &ret_tracking->n_rooms);
}

/* More than the limit allows may have been written under another one: those are let go. */
void channels_restore(struct socket *socket, const Walletwire__V1__Tracking *tracking)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < tracking->n_left; i++)
		socket->own_channels &= ~bit(tracking->left[i]);
	for (size_t i = 0; i < tracking->n_transfers && !s; i++)
		s = channel_track(socket, bytes_of_str(tracking->transfers[i]), NULL);
	for (size_t i = 0; i < tracking->n_rooms && !s; i++)
		s = room_enter(socket, bytes_of_str(tracking->rooms[i]), NULL);
}

bool channels_reach(
    const struct socket *socket, Walletwire__V1__Channel *const *channels, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (channels[i]->kind == WALLETWIRE__V1__CHANNEL_KIND__CHANNEL_KIND_TRANSFER) {
			if (channel_tracked(socket, bytes_of_str(channels[i]->id)))
				return true;
		} else if (socket->own_channels & bit(channels[i]->kind)) {
			return true;
		}
	}
	return false;
}
