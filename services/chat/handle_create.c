/* ww.svc.chat.create: the direct room of two, or a new group. */
#include <string.h>

#include "people.h"
#include "words.h"

typedef Walletwire__V1__ChatCreateRequest CreateRequest;

struct creation {
	struct change change; /* first: the verb gets it by this */
	/* Of a group: the creator's, or one of our own: a commit whose answer is lost is tried
	 * again, and has to find what it made. */
	const char *key;
	char minted[ID_SIZE];
};

static const char *key_of(const struct change *change)
{
	return ((const struct creation *)(const void *)change)->key;
}

static enum status check_members(
    const struct change *change, const CreateRequest *in, struct err *err)
{
	enum status s = STATUS_OK;

	for (size_t i = 0; i < in->n_members && !s; i++) {
		s = people_check_other("members", in->members[i], change->user_id, err);
		for (size_t j = 0; j < i && !s; j++) {
			if (strcmp(in->members[i], in->members[j]) == 0)
				s = err_invalid(err, "members", "names somebody twice");
		}
	}
	return s;
}

static enum status check_group(
    const struct change *change, const CreateRequest *in, struct err *err)
{
	int64_t max = chat_of(change->req)->cfg->max_members - 1;
	enum status s;

	if (in->n_members > (size_t)max) {
		(void)err_invalid(err, "members", "names more than %lld users", (long long)max);
		err->status = STATUS_TOO_LARGE;
		return STATUS_TOO_LARGE;
	}
	if (in->client_id[0]) {
		s = words_check_id("clientId", in->client_id, err);
		if (s)
			return s;
	}
	return words_check("name", in->name, WORDS_NAME_MAX, err);
}

static enum status check(const struct change *change, const CreateRequest *in, struct err *err)
{
	enum status s;

	if (in->type == ROOM_TYPE(GROUP)) {
		s = check_group(change, in, err);
		return s ? s : check_members(change, in, err);
	}
	if (in->type != ROOM_TYPE(DIRECT))
		return err_invalid(err, "type", "must be direct or group");
	if (in->n_members != 1)
		return err_invalid(err, "members", "must name the other user of a direct room");
	if (in->name[0] || in->client_id[0])
		return err_invalid(err, in->name[0] ? "name" : "clientId", "is for groups");
	return check_members(change, in, err);
}

static enum status insert_members(struct change *change, const CreateRequest *in, struct err *err)
{
	size_t len = in->n_members + 1;
	struct store_member *members = arena_alloc(change->arena, len * sizeof(*members));

	members[0] = (struct store_member){
		.user_id = change->user_id, .role = ROOM_ROLE(OWNER), .joins_as = ROOM_ROLE(OWNER)
	};
	for (size_t i = 0; i < in->n_members; i++)
		members[i + 1] = (struct store_member){ .user_id = in->members[i],
			.role = ROOM_ROLE(MEMBER),
			.joins_as = ROOM_ROLE(MEMBER) };
	return store_insert_members(change->db, change->room_id, members, len, change->arena, err);
}

static enum status record_created(struct change *change, struct err *err)
{
	AuditRecord *record =
	    audit_record(&change->audit, AUDIT_ACTION(CHAT_ROOM_CREATED), change->members.len);

	audit_record_id(record, change->room.room_id);
	for (size_t i = 0; i < change->members.len; i++)
		(void)audit_record_user(record, change->members.at[i].user_id);
	record->n = change->members.len;
	audit_add(&change->audit, record);
	return change_tell_room(change, ROOM_CHANGE(CREATED), change->user_id, err);
}

/* False: there is one with the same key, which is the one. */
static enum status insert_group(
    struct change *change, const CreateRequest *in, bool *ret_inserted, struct err *err)
{
	struct store_room room = {
		.name = in->name, .first_id = "", .second_id = "", .type = ROOM_TYPE(GROUP)
	};
	char id[ID_SIZE];

	id_random(id);
	room.room_id = change->room_id = arena_strdup(change->arena, id);
	return store_insert_room(
	    change->db, &room, change->user_id, key_of(change), ret_inserted, err);
}

static enum status check_people(struct change *change, const CreateRequest *in, struct err *err)
{
	const char *const *others = (const char *const *)in->members;
	enum status s;

	change->members = (struct store_members){ 0 };
	s = change_require_room_maker(change, err);
	if (!s)
		s = people_require_unblocked(change, "members", others, in->n_members, err);
	return s ? s : change_check_room(change, "members", others, in->n_members, err);
}

static enum status enter_group(struct change *change, struct err *err)
{
	const CreateRequest *in = change->in;
	bool inserted = false;
	enum status s = store_find_created(
	    change->db, change->user_id, key_of(change), change->arena, &change->room_id, err);

	if (s || change->room_id[0])
		return s ? s : change_enter_room(change, err);
	s = check_people(change, in, err);
	if (!s)
		s = insert_group(change, in, &inserted, err);
	if (!s && inserted)
		s = insert_members(change, in, err);
	if (!s && !inserted) /* a retry was faster, and has committed */
		s = store_find_created(change->db, change->user_id, key_of(change), change->arena,
		    &change->room_id, err);
	if (!s)
		s = change_enter_room(change, err);
	return s || !inserted ? s : record_created(change, err);
}

/* A retry may come after the creator has left. */
static enum status show(struct change *change, struct err *err)
{
	enum status s = change_require(change, ROOM_ROLE(MEMBER), err);

	if (!s)
		change_reply_room(change);
	return s;
}

/* A group that an earlier try has made is there, whoever is a friend by now. */
static enum status require_friends(struct request *req, const CreateRequest *in, struct err *err)
{
	const char *room_id = "";
	struct err ignored = ERR_INIT;
	enum status s = people_require_friends(
	    req, "members", (const char *const *)in->members, in->n_members, err);

	if (!s || !in->client_id[0] ||
	    store_find_created(
		req->db, req->user_id, in->client_id, req->arena, &room_id, &ignored) ||
	    !room_id[0])
		return s;
	*err = (struct err)ERR_INIT;
	return STATUS_OK;
}

enum status chat_on_create(struct request *req, struct err *err)
{
	const CreateRequest *in = (const void *)req->body;
	struct creation creation = { .change = { .fn = show } };
	struct change *change = &creation.change;
	enum status s = change_begin(change, req, in->caller, err);

	if (!s)
		s = check(change, in, err);
	if (!s)
		s = require_friends(req, in, err);
	if (s)
		return s;
	id_random(creation.minted);
	creation.key = in->client_id[0] ? in->client_id : creation.minted;
	change->enter = in->type == ROOM_TYPE(DIRECT) ? change_enter_direct : enter_group;
	change->other_id = in->n_members > 0 ? in->members[0] : NULL;
	return change_run(change, err);
}
