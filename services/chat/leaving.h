/* leaving: a member goes, or is made to go. */
#ifndef CHAT_LEAVING_H
#define CHAT_LEAVING_H

#include "change.h"

/* Takes a member (or somebody invited) out of the room, hands over what the owner leaves behind,
 * and tells those who stay and the one who goes. A room without members ends: what was said in it
 * stays until it expires, and can be held. */
enum status leaving_take_out(
    struct change *change, const char *user_id, RoomChange what, struct err *err) MUST_CHECK;

#endif
