/*
 * select: what seen, read and archive have in common: move inbox items on, count them out, tell the
 * user's other devices. Moving an item on that is already there changes nothing.
 */
#ifndef NOTIFICATIONS_SELECT_H
#define NOTIFICATIONS_SELECT_H

#include "messages.h"
#include "notifications.h"

enum status select_move(struct request *req, Walletwire__V1__InboxState state,
    Walletwire__V1__ChangeAction action, struct err *err) MUST_CHECK;

#endif
