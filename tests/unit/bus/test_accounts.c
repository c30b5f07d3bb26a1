/* Who may do what, read from the generated text with the server's own rules for wildcards. */
#include <stdio.h>
#include <string.h>

#include "base/attrs.h"
#include "bus/provision.h"
#include "support/support.h"

static const char *any_password(void *arg, const char *user)
{
	(void)user;
	return arg;
}

/* From `from` on, the text between `open` and the next `close`; len 0 if there is none. */
static struct bytes between(struct bytes text, const char *open, const char *close)
{
	const char *at, *end;
	size_t left;

	if (text.len == 0)
		return text;
	at = memmem(text.data, text.len, open, strlen(open));
	if (!at)
		return (struct bytes){ 0 };
	at += strlen(open);
	left = text.len - (size_t)((const uint8_t *)at - text.data);
	end = memmem(at, left, close, strlen(close));
	ck_assert_msg(end != NULL, "no %s after %s", close, open);
	return bytes_of(at, (size_t)(end - at));
}

static bool token_covers(struct bytes pattern, struct bytes subject)
{
	return bytes_equal_str(pattern, "*") || bytes_equal(pattern, subject);
}

static struct bytes first_token(struct bytes *rest)
{
	const uint8_t *dot = memchr(rest->data, '.', rest->len);
	struct bytes token = { rest->data, dot ? (size_t)(dot - rest->data) : rest->len };
	size_t used = token.len + (dot != NULL);

	*rest = bytes_of(rest->data + used, rest->len - used);
	return token;
}

static bool covers(struct bytes pattern, struct bytes subject)
{
	while (pattern.len > 0 && subject.len > 0) {
		struct bytes p = first_token(&pattern);
		struct bytes s = first_token(&subject);

		if (bytes_equal_str(p, ">"))
			return true;
		if (!token_covers(p, s))
			return false;
	}
	return pattern.len == 0 && subject.len == 0;
}

static bool list_covers(struct bytes list, const char *subject)
{
	struct bytes pattern;

	for (;;) {
		const uint8_t *next;

		pattern = between(list, "\"", "\"");
		if (pattern.len == 0)
			return false;
		if (covers(pattern, bytes_of_str(subject)))
			return true;
		next = pattern.data + pattern.len + 1;
		list = bytes_of(next, list.len - (size_t)(next - list.data));
	}
}

static struct bytes user_block(struct buf *text, const char *user)
{
	char open[64];

	(void)snprintf(open, sizeof(open), "        user: %s\n", user);
	return between(buf_bytes(text), open, "\n      }\n");
}

static bool may(struct buf *text, const char *user, const char *verb, const char *subject)
{
	struct bytes block = user_block(text, user);
	struct bytes rights;

	ck_assert_msg(block.len > 0, "no user %s", user);
	rights = between(block, verb, "\n          }\n");
	ck_assert_msg(rights.len > 0, "%s has no %s", user, verb);
	return list_covers(between(rights, "allow: [", "]"), subject) &&
	       !list_covers(between(rights, "deny: [", "]"), subject);
}

#define PUB "publish: {"
#define SUB "subscribe: {"

static const struct {
	const char *user, *verb, *subject;
	bool allowed;
} rights[] = {
	{ "backend", PUB, "ww.event.balance", true },
	{ "backend", PUB, "ww.event.transaction", true },
	{ "backend", PUB, "ww.event.transfer", true },
	{ "backend", PUB, "ww.event.payment", true },
	{ "backend", PUB, "ww.event.deposit", true },
	{ "backend", PUB, "ww.event.withdrawal", true },
	{ "backend", PUB, "ww.event.security", true },
	{ "backend", PUB, "ww.event.limit", true },
	{ "backend", PUB, "ww.event.kyc", true },
	{ "backend", PUB, "ww.event.card", true },
	{ "backend", PUB, "ww.event.announcement", true },
	{ "backend", PUB, "ww.event.chat", false },
	{ "backend", PUB, "ww.event.anything", false },
	{ "backend", PUB, "ww.rt.user.alice", false },
	{ "backend", PUB, "ww.backend.notifications.revoke", true },
	{ "backend", SUB, "ww.backend.notifications.balance_get", true },
	{ "backend", SUB, "ww.event.balance", false },
	{ "backend", SUB, "_INBOX.backend.x.1", true },
	{ "backend", SUB, "_INBOX.edge.x.1", false },
	{ "chat", PUB, "ww.event.chat", true },
	{ "chat", PUB, "ww.event.balance", false },
	{ "chat", PUB, "ww.rt.room.r1", true },
	{ "chat", PUB, "ww.rt.user.alice", false },
	{ "chat", SUB, "ww.svc.chat.send", true },
	{ "chat", SUB, "ww.svc.notifications.open", false },
	{ "notifications", PUB, "ww.rt.user.alice", true },
	{ "notifications", PUB, "ww.rt.all", true },
	{ "notifications", PUB, "ww.rt.room.r1", false },
	{ "notifications", PUB, "ww.event.balance", false },
	{ "notifications", PUB, "ww.dlq.event", true },
	{ "notifications", PUB, "ww.audit.notifications", true },
	{ "notifications", PUB, "ww.audit.edge", false },
	{ "notifications", PUB, "$JS.API.CONSUMER.MSG.NEXT.WW_EVENTS.notifications", true },
	{ "notifications", PUB, "$JS.API.CONSUMER.MSG.NEXT.WW_AUDIT.audit", false },
	{ "notifications", PUB, "$JS.API.CONSUMER.DELETE.WW_EVENTS.notifications", false },
	{ "notifications", PUB, "$JS.API.STREAM.PURGE.WW_EVENTS", false },
	{ "notifications", PUB, "$JS.ACK.WW_EVENTS.notifications.1.2.3.4.5", true },
	{ "notifications", PUB, "$KV.ww_revoked.alice", true },
	{ "notifications", PUB, "$KV.ww_edges.e1", false },
	{ "notifications", PUB, "_INBOX.edge.x.1", true },
	{ "notifications", PUB, "_INBOX.backend.x.1", true },
	{ "notifications", PUB, "_INBOX.chat.x.1", false },
	{ "chat", PUB, "_INBOX.edge.x.1", true },
	{ "chat", PUB, "_INBOX.backend.x.1", true },
	{ "chat", PUB, "_INBOX.presence.x.1", false },
	{ "chat", PUB, "ww.svc.presence.friends_among", true },
	{ "chat", PUB, "ww.svc.presence.get", false },
	{ "chat", PUB, "ww.chat.changed", true },
	{ "chat", SUB, "ww.chat.changed", true },
	{ "chat", SUB, "ww.backend.chat.hold", true },
	{ "backend", PUB, "_INBOX.notifications.x.1", true },
	{ "backend", PUB, "_INBOX.edge.x.1", false },
	/* It answers edges how it is, and may be asked nothing else by them. */
	{ "audit", PUB, "_INBOX.edge.x.1", true },
	{ "audit", PUB, "_INBOX.notifications.x.1", false },
	{ "edge", PUB, "ww.svc.audit.stats", true },
	{ "edge", PUB, "ww.svc.audit.export", false },
	{ "edge", PUB, "ww.backend.audit.export", false },
	{ "ops", PUB, "_INBOX.edge.x.1", false },
	{ "notifications", SUB, "ww.svc.notifications.open", true },
	{ "notifications", SUB, "ww.event.balance", false },
	{ "edge", PUB, "ww.svc.notifications.open", true },
	{ "edge", PUB, "ww.svc.chat.send", true },
	{ "edge", PUB, "ww.edge.e1.stats", true },
	{ "edge", PUB, "ww.event.balance", false },
	{ "edge", PUB, "ww.rt.user.alice", false },
	{ "edge", PUB, "ww.rt.all", false },
	{ "edge", PUB, "ww.backend.notifications.revoke", false },
	{ "edge", PUB, "_INBOX.edge.x.1", true },
	{ "edge", PUB, "_INBOX.ops.x.1", true },
	{ "edge", PUB, "_INBOX.chat.x.1", false },
	{ "edge", PUB, "$KV.ww_revoked.alice", false },
	{ "edge", PUB, "$KV.ww_tracking.alice.sid", true },
	{ "edge", PUB, "$JS.API.CONSUMER.CREATE.KV_ww_revoked", true },
	{ "edge", PUB, "$JS.API.CONSUMER.CREATE.WW_EVENTS", false },
	{ "edge", PUB, "$JS.API.STREAM.INFO.WW_EVENTS", false },
	{ "edge", PUB, "$JS.API.CONSUMER.INFO.WW_EVENTS.notifications", true },
	{ "edge", PUB, "$JS.API.CONSUMER.INFO.WW_AUDIT.audit", true },
	{ "edge", PUB, "$JS.API.CONSUMER.INFO.WW_DLQ.x", false },
	{ "edge", PUB, "$JS.API.CONSUMER.MSG.NEXT.WW_EVENTS.notifications", false },
	{ "edge", SUB, "ww.rt.user.alice", true },
	{ "edge", SUB, "ww.rt.all", true },
	{ "edge", SUB, "ww.rt.room.r1", true },
	{ "edge", SUB, "ww.rt.presence.e1", true },
	{ "edge", SUB, "ww.event.balance", false },
	{ "edge", SUB, "ww.svc.chat.send", false },
	{ "edge", SUB, "$KV.ww_revoked.alice", false },
	{ "presence", PUB, "ww.rt.presence.e1", true },
	{ "presence", PUB, "ww.rt.user.alice", false },
	{ "presence", PUB, "ww.audit.presence", true },
	{ "presence", PUB, "ww.audit.notifications", false },
	{ "presence", SUB, "ww.presence.report.e1", true },
	{ "presence", PUB, "ww.presence.report.e1", false },
	{ "edge", PUB, "ww.presence.report.e1", true },
	{ "presence", PUB, "$KV.ww_edges.e1", false },
	{ "audit", PUB, "ww.audit.edge", false },
	{ "audit", PUB, "$JS.API.CONSUMER.MSG.NEXT.WW_AUDIT.audit", true },
	{ "audit", PUB, "$JS.API.CONSUMER.MSG.NEXT.WW_EVENTS.notifications", false },
	{ "ops", PUB, "$JS.API.STREAM.CREATE.WW_EVENTS", true },
	{ "ops", PUB, "$JS.API.STREAM.UPDATE.WW_EVENTS", false },
	{ "ops", PUB, "$JS.API.STREAM.DELETE.WW_EVENTS", false },
	{ "ops", PUB, "$JS.API.STREAM.PURGE.WW_EVENTS", false },
	{ "ops", PUB, "$JS.API.ACCOUNT.PURGE.APP", false },
	{ "audit", SUB, "ww.svc.audit.stats", true },
	{ "audit", PUB, "ww.audit.audit", true },
	{ "audit", PUB, "ww.audit.chat", false },
	{ "audit", PUB, "ww.heads.audit", true },
	{ "ops", PUB, "ww.heads.audit", false },
	{ "chat", PUB, "ww.heads.audit", false },
	{ "audit", PUB, "$JS.API.STREAM.INFO.WW_AUDIT", true },
	{ "audit", PUB, "$JS.API.STREAM.MSG.GET.WW_AUDIT", true },
	{ "audit", PUB, "$JS.API.STREAM.MSG.GET.WW_EVENTS", false },
	{ "audit", PUB, "$JS.API.STREAM.PURGE.WW_AUDIT", false },
	{ "audit", PUB, "$JS.API.STREAM.MSG.DELETE.WW_AUDIT", false },
	{ "ops", PUB, "$JS.API.STREAM.PURGE.WW_AUDIT", false },
	{ "ops", PUB, "$JS.API.STREAM.PURGE.WW_AUDIT_HEADS", false },
	{ "ops", PUB, "$JS.API.CONSUMER.CREATE.WW_AUDIT_HEADS", true },
	{ "ops", PUB, "$JS.API.STREAM.MSG.DELETE.WW_AUDIT_HEADS", false },
	{ "ops", PUB, "ww.backend.audit.export", true },
	{ "backend", PUB, "ww.backend.audit.export", false },
	{ "audit", SUB, "ww.backend.audit.export", true },
	{ "ops", PUB, "$JS.API.CONSUMER.CREATE.WW_DLQ", true },
	{ "ops", PUB, "$JS.API.CONSUMER.CREATE.WW_EVENTS", false },
	{ "ops", PUB, "$JS.API.CONSUMER.MSG.NEXT.WW_DLQ.x", true },
	{ "ops", PUB, "$JS.API.CONSUMER.MSG.NEXT.WW_EVENTS.notifications", false },
	{ "ops", PUB, "$JS.API.STREAM.MSG.DELETE.WW_DLQ", true },
	{ "ops", PUB, "$JS.API.STREAM.MSG.DELETE.WW_EVENTS", false },
	{ "notifications", PUB, "$JS.API.STREAM.MSG.DELETE.WW_DLQ", false },
	{ "backend", PUB, "$JS.API.STREAM.MSG.DELETE.WW_DLQ", false },
	{ "edge", PUB, "$JS.API.CONSUMER.CREATE.WW_DLQ", false },
	{ "ops", PUB, "$JS.API.SERVER.REMOVE", false },
	{ "ops", PUB, "$JS.API.STREAM.RESTORE.WW_EVENTS", false },
	{ "ops", PUB, "ww.event.balance", false },
	{ "ops", PUB, "ww.dlq.event", true },
	{ "ops", PUB, "$KV.ww_tracking.alice.sid", true },
	{ "ops", PUB, "$KV.ww_revoked.user.alice", false },
	{ "ops", SUB, "ww.rt.user.alice", true },
	{ "ops", SUB, "ww.event.balance", false },
};

START_TEST(rights_follow_from_the_subject_table)
{
	struct buf text = BUF_INIT;

	bus_nats_accounts(/* has_jetstream= */ true, any_password, (char[]){ "secret" }, &text);
	ck_assert_msg(
	    may(&text, rights[_i].user, rights[_i].verb, rights[_i].subject) == rights[_i].allowed,
	    "%s %s %s: expected %s", rights[_i].user, rights[_i].verb, rights[_i].subject,
	    rights[_i].allowed ? "allowed" : "refused");
	buf_finish(&text);
}
END_TEST

START_TEST(every_user_has_a_deny_list_and_its_own_inbox)
{
	struct buf text = BUF_INIT;

	bus_nats_accounts(/* has_jetstream= */ true, any_password, (char[]){ "secret" }, &text);
	for (size_t i = 0; bus_users[i]; i++) {
		char inbox[64];

		ck_assert(!may(&text, bus_users[i], PUB, "$JS.API.ACCOUNT.PURGE.APP"));
		ck_assert(!may(&text, bus_users[i], PUB, "$SYS.REQ.SERVER.PING"));
		for (size_t j = 0; bus_users[j]; j++) {
			(void)snprintf(inbox, sizeof(inbox), "_INBOX.%s.x.1-1", bus_users[j]);
			ck_assert(may(&text, bus_users[i], SUB, inbox) == (i == j));
		}
	}
	buf_finish(&text);
}
END_TEST

static const char *only_edge(void *arg, const char *user)
{
	(void)arg;
	return strcmp(user, "edge") == 0 ? "qu\"ote\\\n" : NULL;
}

/* The server walks through all noted ack subjects on each delivery of a stream's message. */
START_TEST(users_without_password_are_left_out_and_passwords_are_quoted)
{
	struct buf text = BUF_INIT;
	const char *sys;

	bus_nats_accounts(/* has_jetstream= */ true, only_edge, NULL, &text);
	ck_assert_uint_gt(user_block(&text, "edge").len, 0);
	ck_assert_uint_eq(user_block(&text, "backend").len, 0);
	ck_assert(strstr(buf_str(&text), "password: \"qu\\\"ote\\\\\\x0A\"\n") != NULL);
	/* The system account keeps its user, with a password of its own. */
	sys = strstr(buf_str(&text), "user: sys\n        password: \"");
	ck_assert(sys != NULL && sys[strlen("user: sys\n        password: \"")] != '"');
	ck_assert(strstr(buf_str(&text), "system_account: SYS\n") != NULL);
	ck_assert(strstr(buf_str(&text), "authorization") == NULL);
	ck_assert(strstr(buf_str(&text), "no_auth_user") == NULL);
	/* It makes the server slower with every message it delivers: see accounts.c. */
	ck_assert(strstr(buf_str(&text), "allow_responses") == NULL);
	buf_finish(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bus_accounts");
	TCase *tc = tcase_create("accounts");

	tcase_add_loop_test(tc, rights_follow_from_the_subject_table, 0, (int)ARRAY_LEN(rights));
	tcase_add_test(tc, every_user_has_a_deny_list_and_its_own_inbox);
	tcase_add_test(tc, users_without_password_are_left_out_and_passwords_are_quoted);
	suite_add_tcase(suite, tc);
	return support_run(suite);
}
