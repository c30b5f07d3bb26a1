/* messages: the messages of walletwire.v1 that this service handles, by their short names. */
#ifndef NOTIFICATIONS_MESSAGES_H
#define NOTIFICATIONS_MESSAGES_H

#include "base/message.h"

#include <walletwire/v1/client.pb-c.h>
#include <walletwire/v1/common.pb-c.h>
#include <walletwire/v1/delivery.pb-c.h>
#include <walletwire/v1/event.pb-c.h>
#include <walletwire/v1/notifications.pb-c.h>

typedef Walletwire__V1__Event Event;
typedef Walletwire__V1__Payload Payload;
typedef Walletwire__V1__Notification Notification;
typedef Walletwire__V1__Unread Unread;
typedef Walletwire__V1__Changed Changed;
typedef Walletwire__V1__Announcement Announcement;
typedef Walletwire__V1__Segment Segment;
typedef Walletwire__V1__Claims Claims;
typedef Walletwire__V1__Marks Marks;
typedef Walletwire__V1__Channel Channel;
typedef Walletwire__V1__Item Item;
typedef Walletwire__V1__State State;
typedef Walletwire__V1__LogEntry LogEntry;
typedef Walletwire__V1__Delivery Delivery;
typedef Google__Protobuf__Timestamp Timestamp;

#endif
