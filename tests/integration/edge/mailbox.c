/* Mailboxes in memory: seq n is rev n of an item's commit, with the unread total it led to. */
#include "mailbox.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/subject.h"
#include "support/support.h"
#include "walletwire/v1/delivery.pb-c.h"
#include "walletwire/v1/notifications.pb-c.h"

enum { USERS_MAX = 64, COMMITS_MAX = 4096, PACKED_MAX = 1 << 20, LOG_MAX = 64, HELD_MAX = 512 };

struct commit {
	uint64_t seq; /* 0: a state alone */
	uint32_t unread;
};

struct box {
	char user[64];
	uint64_t seq, rev; /* rev counts commits */
	struct commit commits[COMMITS_MAX];
};

struct held_open {
	char *reply_to;
	uint8_t *data;
	size_t len;
};

struct mailbox {
	struct bus *bus;
	struct bus_sub *sub;
	pthread_mutex_t lock; /* guards what is below */
	char epoch[ID_SIZE];
	size_t users;
	struct box boxes[USERS_MAX];
	uint64_t log_len;
	char log[LOG_MAX][32];
	bool holds_opens;
	const char *lost_verb; /* the next request of it; NULL: none */
	size_t held_len;
	struct held_open held[HELD_MAX];
};

/* Every message is built in these: one user at a time, under the lock. */
struct built_item {
	Walletwire__V1__Item item;
	Walletwire__V1__Payload payload;
	Walletwire__V1__SecurityAlert alert;
	Walletwire__V1__Notification notification;
	Walletwire__V1__Channel channel, *channels[1];
	char text[24];
};

struct built_state {
	Walletwire__V1__State state, *states[1];
	Walletwire__V1__Payload payload;
	Walletwire__V1__Unread unread;
	Walletwire__V1__Channel channel, *channels[1];
};

static char item_type[] = "security";

static struct box *box_of(struct mailbox *mailbox, const char *user)
{
	for (size_t i = 0; i < mailbox->users; i++) {
		if (strcmp(mailbox->boxes[i].user, user) == 0)
			return &mailbox->boxes[i];
	}
	ck_assert_uint_lt(mailbox->users, USERS_MAX);
	(void)snprintf(
	    mailbox->boxes[mailbox->users].user, sizeof(mailbox->boxes[0].user), "%s", user);
	return &mailbox->boxes[mailbox->users++];
}

static void build_channel(Walletwire__V1__Channel *channel)
{
	*channel = (Walletwire__V1__Channel)WALLETWIRE__V1__CHANNEL__INIT;
	channel->kind = WALLETWIRE__V1__CHANNEL_KIND__CHANNEL_KIND_USER;
}

static void build_item(struct built_item *b, uint64_t seq)
{
	b->item = (Walletwire__V1__Item)WALLETWIRE__V1__ITEM__INIT;
	b->payload = (Walletwire__V1__Payload)WALLETWIRE__V1__PAYLOAD__INIT;
	b->alert = (Walletwire__V1__SecurityAlert)WALLETWIRE__V1__SECURITY_ALERT__INIT;
	b->notification = (Walletwire__V1__Notification)WALLETWIRE__V1__NOTIFICATION__INIT;
	build_channel(&b->channel);
	(void)snprintf(b->text, sizeof(b->text), "%llu", (unsigned long long)seq);
	b->alert.message = b->text;
	b->payload.body_case = WALLETWIRE__V1__PAYLOAD__BODY_SECURITY;
	b->payload.security = &b->alert;
	b->notification.id = b->text;
	b->notification.seq = seq;
	b->notification.type = item_type;
	b->channels[0] = &b->channel;
	b->item.seq = seq;
	b->item.payload = &b->payload;
	b->item.notification = &b->notification;
	b->item.channels = b->channels;
	b->item.n_channels = 1;
}

static void build_state(struct built_state *b, uint32_t total, uint64_t rev)
{
	b->state = (Walletwire__V1__State)WALLETWIRE__V1__STATE__INIT;
	b->payload = (Walletwire__V1__Payload)WALLETWIRE__V1__PAYLOAD__INIT;
	b->unread = (Walletwire__V1__Unread)WALLETWIRE__V1__UNREAD__INIT;
	build_channel(&b->channel);
	b->unread.total = total;
	b->unread.version = rev;
	b->payload.body_case = WALLETWIRE__V1__PAYLOAD__BODY_UNREAD;
	b->payload.unread = &b->unread;
	b->channels[0] = &b->channel;
	b->state.payload = &b->payload;
	b->state.version = rev;
	b->state.channels = b->channels;
	b->state.n_channels = 1;
	b->states[0] = &b->state;
}

static void send(struct mailbox *mailbox, const char *subject, const ProtobufCMessage *message)
{
	uint8_t *packed = malloc(PACKED_MAX);
	size_t len = protobuf_c_message_pack(message, packed);
	struct err err = ERR_INIT;

	ck_assert_ok(bus_publish(mailbox->bus, subject, bytes_of(packed, len), &err), err);
	free(packed);
}

/* --- answers --- */

static void hold_open(struct mailbox *mailbox, const char *reply_to, struct bytes data)
{
	struct held_open *held = &mailbox->held[mailbox->held_len++];

	ck_assert_uint_le(mailbox->held_len, HELD_MAX);
	*held = (struct held_open){ strdup(reply_to), malloc(data.len), data.len };
	memcpy(held->data, data.data, data.len);
}

static void answer_open(struct mailbox *mailbox, const char *reply_to, struct bytes data)
{
	Walletwire__V1__OpenRequest *request =
	    walletwire__v1__open_request__unpack(NULL, data.len, data.data);
	Walletwire__V1__OpenReply reply = WALLETWIRE__V1__OPEN_REPLY__INIT;
	struct box *box = box_of(mailbox, request->caller->user_id);
	struct built_state state;

	build_state(&state, box->rev ? box->commits[box->rev - 1].unread : 0, box->rev);
	reply.epoch = mailbox->epoch;
	reply.seq = box->seq;
	reply.rev = box->rev;
	reply.announcement_seq = mailbox->log_len;
	reply.states = state.states;
	reply.n_states = 1;
	send(mailbox, reply_to, &reply.base);
	walletwire__v1__open_request__free_unpacked(request, NULL);
}

static void on_open(struct mailbox *mailbox, const char *reply_to, struct bytes data)
{
	if (mailbox->holds_opens)
		hold_open(mailbox, reply_to, data);
	else
		answer_open(mailbox, reply_to, data);
}

static void answer_since(struct mailbox *mailbox, const char *reply_to, struct bytes data)
{
	Walletwire__V1__SinceRequest *request =
	    walletwire__v1__since_request__unpack(NULL, data.len, data.data);
	Walletwire__V1__SinceReply reply = WALLETWIRE__V1__SINCE_REPLY__INIT;
	struct box *box = box_of(mailbox, request->caller->user_id);
	struct built_item *items = calloc(COMMITS_MAX, sizeof(*items));
	Walletwire__V1__Item **list = calloc(COMMITS_MAX, sizeof(Walletwire__V1__Item *));
	uint64_t last = request->up_to < box->seq ? request->up_to : box->seq;

	for (uint64_t seq = request->after + 1; seq <= last && reply.n_items < 3; seq++) {
		build_item(&items[reply.n_items], seq); /* three a page: paging is met, too */
		list[reply.n_items] = &items[reply.n_items].item;
		reply.n_items++;
	}
	reply.items = list;
	reply.epoch = mailbox->epoch;
	reply.handled = request->after + reply.n_items;
	send(mailbox, reply_to, &reply.base);
	free(list);
	free(items);
	walletwire__v1__since_request__free_unpacked(request, NULL);
}

static void answer_heads(struct mailbox *mailbox, const char *reply_to, struct bytes data)
{
	Walletwire__V1__HeadsRequest *request =
	    walletwire__v1__heads_request__unpack(NULL, data.len, data.data);
	Walletwire__V1__HeadsReply reply = WALLETWIRE__V1__HEADS_REPLY__INIT;
	Walletwire__V1__Head heads[USERS_MAX], *list[USERS_MAX];

	for (size_t i = 0; i < request->n_user_ids && i < USERS_MAX; i++) {
		struct box *box = box_of(mailbox, request->user_ids[i]);

		heads[i] = (Walletwire__V1__Head)WALLETWIRE__V1__HEAD__INIT;
		heads[i].user_id = box->user;
		heads[i].seq = box->seq;
		heads[i].rev = box->rev;
		list[i] = &heads[i];
		reply.n_heads++;
	}
	reply.heads = list;
	reply.epoch = mailbox->epoch;
	reply.announcement_seq = mailbox->log_len;
	send(mailbox, reply_to, &reply.base);
	walletwire__v1__heads_request__free_unpacked(request, NULL);
}

struct built_log {
	Walletwire__V1__LogEntry entry;
	Walletwire__V1__Announcement announcement;
};

static void build_log(struct built_log *b, struct mailbox *mailbox, uint64_t seq)
{
	b->entry = (Walletwire__V1__LogEntry)WALLETWIRE__V1__LOG_ENTRY__INIT;
	b->announcement = (Walletwire__V1__Announcement)WALLETWIRE__V1__ANNOUNCEMENT__INIT;
	b->announcement.title = mailbox->log[seq - 1];
	b->announcement.announcement_seq = seq;
	b->entry.announcement_seq = seq;
	b->entry.change_case = WALLETWIRE__V1__LOG_ENTRY__CHANGE_ANNOUNCED;
	b->entry.announced = &b->announcement;
}

static void answer_announcements(struct mailbox *mailbox, const char *reply_to, struct bytes data)
{
	Walletwire__V1__AnnouncementsRequest *request =
	    walletwire__v1__announcements_request__unpack(NULL, data.len, data.data);
	Walletwire__V1__AnnouncementsReply reply = WALLETWIRE__V1__ANNOUNCEMENTS_REPLY__INIT;
	struct built_log log[LOG_MAX];
	Walletwire__V1__LogEntry *list[LOG_MAX];

	for (uint64_t seq = request->after + 1; seq <= request->up_to && seq <= mailbox->log_len;
	     seq++) {
		build_log(&log[reply.n_log], mailbox, seq);
		list[reply.n_log] = &log[reply.n_log].entry;
		reply.n_log++;
	}
	reply.log = list;
	reply.epoch = mailbox->epoch;
	reply.handled = request->after + reply.n_log;
	send(mailbox, reply_to, &reply.base);
	walletwire__v1__announcements_request__free_unpacked(request, NULL);
}

static void answer_unread(struct mailbox *mailbox, const char *reply_to, struct bytes data)
{
	Walletwire__V1__UnreadRequest *request =
	    walletwire__v1__unread_request__unpack(NULL, data.len, data.data);
	Walletwire__V1__UnreadReply reply = WALLETWIRE__V1__UNREAD_REPLY__INIT;
	struct box *box = box_of(mailbox, request->caller->user_id);

	reply.total = box->rev ? box->commits[box->rev - 1].unread : 0;
	reply.version = box->rev;
	send(mailbox, reply_to, &reply.base);
	walletwire__v1__unread_request__free_unpacked(request, NULL);
}

static void answer_track(struct mailbox *mailbox, const char *reply_to, struct bytes data)
{
	Walletwire__V1__TrackRequest *request =
	    walletwire__v1__track_request__unpack(NULL, data.len, data.data);
	Walletwire__V1__TransferUpdate transfer = WALLETWIRE__V1__TRANSFER_UPDATE__INIT;
	Walletwire__V1__TrackReply reply = WALLETWIRE__V1__TRACK_REPLY__INIT;

	transfer.transfer_id = request->transfer_id;
	transfer.version = 1;
	reply.transfer = &transfer;
	if (strncmp(request->transfer_id, "known", 5) == 0)
		send(mailbox, reply_to, &reply.base);
	walletwire__v1__track_request__free_unpacked(request, NULL);
}

static const struct verb {
	const char *name;
	void (*answer)(struct mailbox *mailbox, const char *reply_to, struct bytes data);
} verbs[] = {
	{ "open", on_open },
	{ "since", answer_since },
	{ "heads", answer_heads },
	{ "announcements", answer_announcements },
	{ "unread", answer_unread },
	{ "track", answer_track },
};

static bool is_lost(struct mailbox *mailbox, const char *verb)
{
	if (!mailbox->lost_verb || strcmp(mailbox->lost_verb, verb) != 0)
		return false;
	mailbox->lost_verb = NULL;
	return true;
}

static void on_request(void *arg, struct bus_msg *msg)
{
	struct mailbox *mailbox = arg;
	const char *name = strrchr(bus_msg_subject(msg), '.') + 1;

	(void)pthread_mutex_lock(&mailbox->lock);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(name, verbs[i].name) == 0 && !is_lost(mailbox, name))
			verbs[i].answer(mailbox, bus_msg_reply(msg), bus_msg_data(msg));
	}
	(void)pthread_mutex_unlock(&mailbox->lock);
}

/* --- what the test does --- */

struct mailbox *mailbox_start(const char *nats_url)
{
	struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
	struct bus_config cfg = { .url = nats_url,
		.user = "notifications",
		.password = "notifications",
		.name = "mailbox" };
	struct err err = ERR_INIT;

	(void)pthread_mutex_init(&mailbox->lock, NULL);
	id_random(mailbox->epoch);
	ck_assert_ok(bus_open(&cfg, &mailbox->bus, &err), err);
	ck_assert_ok(bus_wait_connected(mailbox->bus, 10000, &err), err);
	ck_assert_ok(bus_subscribe(mailbox->bus, "ww.svc.notifications.*", "notifications",
			 on_request, mailbox, &mailbox->sub, &err),
	    err);
	ck_assert_ok(bus_flush(mailbox->bus, 5000, &err), err);
	return mailbox;
}

void mailbox_stop(struct mailbox *mailbox)
{
	bus_unsubscribe(mailbox->sub);
	bus_close(mailbox->bus);
	(void)pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

static void commit(struct mailbox *mailbox, const char *user, bool with_item, uint32_t unread)
{
	struct box *box = box_of(mailbox, user);

	ck_assert_uint_lt(box->rev, COMMITS_MAX);
	if (with_item)
		unread = (box->rev ? box->commits[box->rev - 1].unread : 0) + 1;
	box->commits[box->rev++] = (struct commit){ with_item ? ++box->seq : 0, unread };
}

uint64_t mailbox_append(struct mailbox *mailbox, const char *user)
{
	uint64_t seq;

	(void)pthread_mutex_lock(&mailbox->lock);
	commit(mailbox, user, /* with_item= */ true, 0);
	seq = box_of(mailbox, user)->seq;
	(void)pthread_mutex_unlock(&mailbox->lock);
	return seq;
}

void mailbox_set_unread(struct mailbox *mailbox, const char *user, uint32_t total)
{
	(void)pthread_mutex_lock(&mailbox->lock);
	commit(mailbox, user, /* with_item= */ false, total);
	(void)pthread_mutex_unlock(&mailbox->lock);
}

static uint64_t rev_of(const struct box *box, uint64_t seq)
{
	for (uint64_t rev = 1; rev <= box->rev; rev++) {
		if (box->commits[rev - 1].seq == seq)
			return rev;
	}
	ck_abort_msg("no such item");
}

void mailbox_ring(struct mailbox *mailbox, const char *user, uint64_t seq)
{
	Walletwire__V1__Delivery delivery = WALLETWIRE__V1__DELIVERY__INIT;
	char subject[SUBJECT_SIZE];
	struct built_item item;
	struct built_state state;
	Walletwire__V1__Item *items[1] = { &item.item };
	struct box *box;

	(void)pthread_mutex_lock(&mailbox->lock);
	box = box_of(mailbox, user);
	delivery.epoch = mailbox->epoch;
	delivery.user_id = box->user;
	delivery.rev = seq ? rev_of(box, seq) : box->rev;
	delivery.rev_before = delivery.rev - 1;
	build_state(&state, box->commits[delivery.rev - 1].unread, delivery.rev);
	delivery.states = state.states;
	delivery.n_states = 1;
	if (seq) {
		build_item(&item, seq);
		delivery.items = items;
		delivery.n_items = 1;
	}
	ck_assert_int_eq(subject_with_id("ww.rt.user.", user, subject, NULL), STATUS_OK);
	send(mailbox, subject, &delivery.base);
	(void)pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_new_epoch(struct mailbox *mailbox)
{
	(void)pthread_mutex_lock(&mailbox->lock);
	id_random(mailbox->epoch);
	for (size_t i = 0; i < mailbox->users; i++)
		mailbox->boxes[i].seq = mailbox->boxes[i].rev = 0;
	(void)pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_lose(struct mailbox *mailbox, const char *verb)
{
	(void)pthread_mutex_lock(&mailbox->lock);
	mailbox->lost_verb = verb;
	(void)pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_hold_opens(struct mailbox *mailbox)
{
	(void)pthread_mutex_lock(&mailbox->lock);
	mailbox->holds_opens = true;
	(void)pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_release_opens(struct mailbox *mailbox)
{
	(void)pthread_mutex_lock(&mailbox->lock);
	mailbox->holds_opens = false;
	while (mailbox->held_len) {
		struct held_open *held = &mailbox->held[--mailbox->held_len];

		answer_open(mailbox, held->reply_to, bytes_of(held->data, held->len));
		free(held->reply_to);
		free(held->data);
	}
	(void)pthread_mutex_unlock(&mailbox->lock);
}

size_t mailbox_held_opens(struct mailbox *mailbox)
{
	size_t held;

	(void)pthread_mutex_lock(&mailbox->lock);
	held = mailbox->held_len;
	(void)pthread_mutex_unlock(&mailbox->lock);
	return held;
}

void mailbox_announce(struct mailbox *mailbox, const char *title, bool ring)
{
	Walletwire__V1__Delivery delivery = WALLETWIRE__V1__DELIVERY__INIT;
	struct built_log log;
	Walletwire__V1__LogEntry *list[1] = { &log.entry };

	(void)pthread_mutex_lock(&mailbox->lock);
	(void)snprintf(mailbox->log[mailbox->log_len++], sizeof(mailbox->log[0]), "%s", title);
	build_log(&log, mailbox, mailbox->log_len);
	delivery.epoch = mailbox->epoch;
	delivery.log = list;
	delivery.n_log = 1;
	if (ring)
		send(mailbox, "ww.rt.all", &delivery.base);
	(void)pthread_mutex_unlock(&mailbox->lock);
}
