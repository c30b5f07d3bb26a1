/*
 * channels: by which routes an item reaches a socket.
 *
 * user:{u}, balance:{u} and transactions:{u} are the user's own and joined at connect;
 * transfer:{id} is joined by tracking. An item goes out once if any of its channels is joined.
 * room:{id} is no such route: it opens a room (rooms.h), for members, whom ww-chat knows.
 */
#ifndef EDGE_CHANNELS_H
#define EDGE_CHANNELS_H

#include "base/arena.h"
#include "socket.h"
#include "walletwire/v1/edge.pb-c.h"

void channels_join_own(struct socket *socket);
void channels_leave_all(struct socket *socket); /* frees what is tracked or open */

/* Is this room:{id}, and of which room? */
bool channel_is_room(struct bytes name, struct bytes *ret_room_id);

/* By name, but for rooms, which are opened otherwise: FORBIDDEN for another user's, NOT_FOUND for
 * what is no channel. */
enum status channel_join(struct socket *socket, struct bytes name, struct err *err) MUST_CHECK;
enum status channel_leave(struct socket *socket, struct bytes name, struct err *err) MUST_CHECK;

/* RATE_LIMITED if no further one may be joined. */
enum status channels_check_limit(const struct socket *socket, struct err *err) MUST_CHECK;

/* Tracking one twice is fine. RATE_LIMITED above the limit. */
enum status channel_track(
    struct socket *socket, struct bytes transfer_id, struct err *err) MUST_CHECK;
/* NULL if it is not tracked. */
struct tracked *channel_tracked(const struct socket *socket, struct bytes transfer_id);
void channel_untrack(struct socket *socket, struct bytes transfer_id);

/* Has it still, and only, the channels it was given? */
bool channels_are_as_given(const struct socket *socket);
/* What was changed, in the arena, and the same done again to a socket as it was given. */
void channels_describe(
    const struct socket *socket, struct arena *arena, Walletwire__V1__Tracking *ret_tracking);
void channels_restore(struct socket *socket, const Walletwire__V1__Tracking *tracking);

/* Does any of these lead to the socket? */
bool channels_reach(
    const struct socket *socket, Walletwire__V1__Channel *const *channels, size_t len);

#endif
