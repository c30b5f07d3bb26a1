/* messages: the messages of walletwire.v1 that this service handles, by their short names. */
#ifndef CHAT_MESSAGES_H
#define CHAT_MESSAGES_H

#include "base/message.h"

#include <walletwire/v1/chat.pb-c.h>
#include <walletwire/v1/client.pb-c.h>
#include <walletwire/v1/common.pb-c.h>
#include <walletwire/v1/delivery.pb-c.h>
#include <walletwire/v1/event.pb-c.h>

typedef Walletwire__V1__RoomType RoomType;
typedef Walletwire__V1__RoomRole RoomRole;
typedef Walletwire__V1__RoomChange RoomChange;
typedef Walletwire__V1__ChatRoom ChatRoom;
typedef Walletwire__V1__ChatRoomEntry ChatRoomEntry;
typedef Walletwire__V1__ChatRoomChange ChatRoomChange;
typedef Walletwire__V1__ChatMessage ChatMessage;
typedef Walletwire__V1__ChatRead ChatRead;
typedef Walletwire__V1__ChatMember ChatMember;
typedef Walletwire__V1__ChatEvent ChatEvent;
typedef Walletwire__V1__ChatExportReply ChatExportReply;
typedef Walletwire__V1__ChatExportRecord ChatExportRecord;
typedef Walletwire__V1__Event Event;
typedef Walletwire__V1__Payload Payload;
typedef Walletwire__V1__Delivery Delivery;

#define ROOM_TYPE(NAME) WALLETWIRE__V1__ROOM_TYPE__ROOM_TYPE_##NAME
#define ROOM_ROLE(NAME) WALLETWIRE__V1__ROOM_ROLE__ROOM_ROLE_##NAME
#define ROOM_CHANGE(NAME) WALLETWIRE__V1__ROOM_CHANGE__ROOM_CHANGE_##NAME

#endif
