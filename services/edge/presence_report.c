/* A set of users that changed, a list of those that want something, and one timer for both. */
#include "presence_report.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/subject.h"
#include "base/xalloc.h"
#include "calls.h"
#include "metrics.h"
#include "presence_parts.h"
#include "socket.h"
#include "user.h"

enum {
	PACE_MS = 100,
	WHOLE_MS = 1000, /* whole tables are not told more often */
};

struct presence_changed {
	UT_hash_handle hh;
	char id[];
};

/* --- one report, or several if one would be too long --- */

static Walletwire__V1__PresenceReport report_of(const struct edge_loop *el)
{
	Walletwire__V1__PresenceReport report = WALLETWIRE__V1__PRESENCE_REPORT__INIT;

	report.edge = el->edge->id;
	report.loop = (uint32_t)el->index;
	report.number = el->presence.number;
	return report;
}

/* One that is lost is missed by its number. */
static void publish(struct edge_loop *el, const Walletwire__V1__PresenceReport *report)
{
	char subject[SUBJECT_SIZE];

	if (!subject_with_id("ww.presence.report.", el->edge->id, subject, NULL))
		call_publish(el, subject, &report->base);
}

static void publish_numbered(void *arg, Walletwire__V1__PresenceReport *report)
{
	struct edge_loop *el = arg;

	report->number = ++el->presence.number;
	publish(el, report);
}

/* Whoever is behind would not be shown them. */
static bool wants_friends(const struct socket *socket)
{
	return socket->device.wants_friends && !socket->device.is_behind;
}

/* Of its live sockets: how many, and the best of them. */
static Walletwire__V1__PresenceReportUser word_of(char *id, const struct user *user_or_null)
{
	Walletwire__V1__PresenceReportUser word = WALLETWIRE__V1__PRESENCE_REPORT_USER__INIT;
	const struct socket *socket;
	bool is_online = false;

	word.user_id = id;
	DL_FOREACH (user_or_null ? user_or_null->sockets : NULL, socket) {
		if (socket->state != SOCKET_LIVE)
			continue;
		word.sockets++;
		is_online = is_online || !(socket->device.is_away || socket->device.is_idle);
		word.wants_friends = word.wants_friends || wants_friends(socket);
	}
	if (word.sockets)
		word.status = is_online ? WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_ONLINE
					: WALLETWIRE__V1__PRESENCE_STATUS__PRESENCE_STATUS_AWAY;
	return word;
}

static void forget_changes(struct presence *presence)
{
	struct presence_changed *changed, *next;

	HASH_ITER (hh, presence->changed, changed, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): unlinked before it is freed */
		HASH_DEL(presence->changed, changed);
		free(changed);
	}
}

/* What was added last stands in the report that is sent next. */
static void note_told(struct user *user)
{
	struct socket *socket;

	DL_FOREACH (user->sockets, socket) {
		if (socket->state == SOCKET_LIVE && !socket->device.told_in)
			socket->device.told_in = user->el->presence.number + 1;
	}
	presence_report_wanting(user);
}

static void tell_whole(struct edge_loop *el)
{
	Walletwire__V1__PresenceReport report = report_of(el);
	struct presence_parts parts;
	struct user *user, *next;

	report.whole = true;
	presence_parts_begin(&parts, &report, HASH_COUNT(el->users), publish_numbered, el);
	HASH_ITER (hh, el->users, user, next) {
		Walletwire__V1__PresenceReportUser word = word_of(user->id, user);

		if (word.sockets)
			presence_parts_add(&parts, &word);
		note_told(user);
	}
	presence_parts_end(&parts);
	forget_changes(&el->presence);
	el->presence.is_whole_due = false;
	el->presence.whole_ms = loop_now_ms(el->loop);
}

static void tell_changes(struct edge_loop *el)
{
	Walletwire__V1__PresenceReport report = report_of(el);
	struct presence_parts parts;
	struct presence_changed *changed, *next;

	presence_parts_begin(
	    &parts, &report, HASH_COUNT(el->presence.changed), publish_numbered, el);
	HASH_ITER (hh, el->presence.changed, changed, next) {
		struct user *user = user_find(el, changed->id);
		Walletwire__V1__PresenceReportUser word = word_of(changed->id, user);

		presence_parts_add(&parts, &word);
		if (user)
			note_told(user);
	}
	presence_parts_end(&parts);
	forget_changes(&el->presence);
}

/* Without a number of its own. */
static void tell_heartbeat(struct edge_loop *el)
{
	Walletwire__V1__PresenceReport report = report_of(el);

	publish(el, &report);
}

/* --- when --- */

static void (*const tellers[PRESENCE_REPORTS])(struct edge_loop *el) = {
	[PRESENCE_REPORT_WHOLE] = tell_whole,
	[PRESENCE_REPORT_CHANGES] = tell_changes,
	[PRESENCE_REPORT_HEARTBEAT] = tell_heartbeat,
};

static int64_t due_ms(const struct edge_loop *el, enum presence_report kind)
{
	const struct presence *presence = &el->presence;

	switch (kind) {
	case PRESENCE_REPORT_WHOLE:
		return presence->is_whole_due ? presence->whole_ms + WHOLE_MS : INT64_MAX;
	case PRESENCE_REPORT_CHANGES:
		return presence->changed ? presence->told_ms + PACE_MS : INT64_MAX;
	default:
		return presence->told_ms + el->edge->cfg.presence_beat_ms;
	}
}

/* When the one told longest ago is told of again. */
static int64_t ask_again_ms(const struct edge_loop *el)
{
	return el->presence.wanting->wanting.told_ms + el->edge->cfg.friends_wait_ms;
}

static void on_time(void *arg);

static void plan(struct edge_loop *el)
{
	struct presence *presence = &el->presence;
	int64_t next_ms = INT64_MAX;

	for (enum presence_report kind = 0; kind < PRESENCE_REPORTS; kind++) {
		if (due_ms(el, kind) < next_ms)
			next_ms = due_ms(el, kind);
	}
	if (presence->wanting && ask_again_ms(el) < next_ms)
		next_ms = ask_again_ms(el);
	loop_timer_arm(el->loop, &presence->report_timer, next_ms, on_time, el);
}

/* Those whose friends have not come for so long are told of again. */
static void ask_again(struct edge_loop *el)
{
	int64_t latest_ms = loop_now_ms(el->loop) - el->edge->cfg.friends_wait_ms;
	struct user *user;

	while ((user = el->presence.wanting) && user->wanting.told_ms <= latest_ms) {
		presence_report_user(el, user->id);
		presence_report_wanting(user);
	}
}

/* The first kind that is due; a table tells everything that a report of changes would. */
static void on_time(void *arg)
{
	struct edge_loop *el = arg;
	struct presence *presence = &el->presence;
	int64_t now_ms = loop_now_ms(el->loop);

	ask_again(el);
	for (enum presence_report kind = 0; kind < PRESENCE_REPORTS; kind++) {
		if (due_ms(el, kind) > now_ms)
			continue;
		tellers[kind](el);
		count_presence_report(kind);
		presence->told_ms = now_ms;
		break;
	}
	plan(el);
}

void presence_report_user(struct edge_loop *el, const char *user_id)
{
	struct presence *presence = &el->presence;
	size_t size = strlen(user_id) + 1;
	struct presence_changed *changed;

	if (!presence->is_told)
		return;
	HASH_FIND_STR(presence->changed, user_id, changed);
	if (changed)
		return;
	changed = xcalloc(1, sizeof(*changed) + size);
	memcpy(changed->id, user_id, size);
	HASH_ADD_STR(presence->changed, id, changed);
	if (HASH_COUNT(presence->changed) == 1)
		plan(el);
}

static bool somebody_wants_friends(const struct user *user)
{
	const struct socket *socket;

	DL_FOREACH (user->sockets, socket) {
		if (wants_friends(socket))
			return true;
	}
	return false;
}

void presence_report_wanting(struct user *user)
{
	struct presence *presence = &user->el->presence;

	if (user->wanting.prev)
		DL_DELETE2(presence->wanting, user, wanting.prev, wanting.next);
	user->wanting.prev = user->wanting.next = NULL;
	if (!somebody_wants_friends(user))
		return;
	user->wanting.told_ms = loop_now_ms(user->el->loop);
	DL_APPEND2(presence->wanting, user, wanting.prev, wanting.next);
}

void presence_report_wishes(struct edge_loop *el)
{
	const struct user *user;

	DL_FOREACH2(el->presence.wanting, user, wanting.next)
	presence_report_user(el, user->id);
}

void presence_report_whole(struct edge_loop *el)
{
	if (!el->presence.is_told)
		return;
	el->presence.is_whole_due = true;
	plan(el);
}

void presence_report_start(struct edge_loop *el)
{
	int64_t now_ms = loop_now_ms(el->loop);

	if (el->closed)
		return;
	el->presence.is_told = true;
	el->presence.told_ms = now_ms;
	el->presence.whole_ms = now_ms - WHOLE_MS;
	presence_report_whole(el);
}

void presence_report_stop(struct edge_loop *el)
{
	Walletwire__V1__PresenceReport report = report_of(el);

	if (!el->presence.is_told)
		return;
	loop_timer_disarm(el->loop, &el->presence.report_timer);
	forget_changes(&el->presence);
	report.leaving = true;
	publish_numbered(el, &report);
	el->presence.is_told = false;
}
