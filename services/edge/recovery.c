/* Texts of four or five parts, written and read. */
#include "recovery.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "token/mac.h"

enum { DIGITS_MAX = 15 }; /* positions stay below 2^53 */

/* What the mac is over: nothing of it holds a NUL. */
static void sealed(struct bytes text, const char *user_id, struct buf *out)
{
	buf_append_bytes(out, text);
	buf_append_char(out, '\0');
	buf_append_str(out, user_id);
}

void recovery_make_pid(const struct recovery_keys *keys, const char *sid, const char *user_id,
    const struct position *at, char ret_pid[static RECOVERY_PID_SIZE])
{
	struct buf text = BUF_INIT;
	char mac[ID_SIZE];
	int len = snprintf(ret_pid, RECOVERY_PID_SIZE, "%s.%s.%llu.%llu", sid, at->epoch,
	    (unsigned long long)at->seq, (unsigned long long)at->log_seq);

	sealed(bytes_of(ret_pid, (size_t)len), user_id, &text);
	mac_make(keys->key, buf_bytes(&text), mac);
	buf_finish(&text);
	(void)snprintf(ret_pid + len, RECOVERY_PID_SIZE - (size_t)len, ".%s", mac);
}

/* The part up to the next dot, or the end; moves past it. False if it does not fit. */
static bool take_part(struct bytes *text, char *ret_part, size_t size)
{
	size_t len = 0;

	while (len < text->len && text->data[len] != '.')
		len++;
	if (len == 0 || len >= size || memchr(text->data, '\0', len))
		return false;
	memcpy(ret_part, text->data, len);
	ret_part[len] = '\0';
	if (len < text->len)
		len++;
	*text = bytes_of(text->data + len, text->len - len);
	return true;
}

static bool take_number(struct bytes *text, uint64_t *ret_n)
{
	char digits[DIGITS_MAX + 1];

	*ret_n = 0;
	if (!take_part(text, digits, sizeof(digits)))
		return false;
	for (const char *at = digits; *at; at++) {
		if (*at < '0' || *at > '9')
			return false;
		*ret_n = *ret_n * 10 + (uint64_t)(*at - '0');
	}
	return true;
}

static bool take_position(struct bytes *text, struct position *ret_at)
{
	return take_part(text, ret_at->epoch, sizeof(ret_at->epoch)) &&
	       take_number(text, &ret_at->seq) && take_number(text, &ret_at->log_seq);
}

static bool is_ours(const struct recovery_keys *keys, struct bytes text, const char *mac)
{
	return mac_is(keys->key, text, mac) || (keys->old.len && mac_is(keys->old, text, mac));
}

bool recovery_read_pid(const struct recovery_keys *keys, struct bytes pid, const char *user_id,
    char ret_sid[static ID_SIZE], struct position *ret_at)
{
	struct bytes left = pid;
	struct buf text = BUF_INIT;
	char mac[ID_SIZE];
	bool ok;

	if (pid.len >= RECOVERY_PID_SIZE || !take_part(&left, ret_sid, ID_SIZE) ||
	    !take_position(&left, ret_at))
		return false;
	sealed(bytes_of(pid.data, (size_t)(left.data - pid.data) - 1), user_id, &text);
	ok = take_part(&left, mac, sizeof(mac)) && left.len == 0 &&
	     is_ours(keys, buf_bytes(&text), mac);
	buf_finish(&text);
	return ok;
}

void recovery_make_prefix(
    const char *pid, const char *epoch, char ret_prefix[static RECOVERY_PREFIX_SIZE])
{
	(void)snprintf(ret_prefix, RECOVERY_PREFIX_SIZE, "%.*s.%s.", RECOVERY_TAG_LEN,
	    strrchr(pid, '.') + 1, epoch);
}

bool recovery_read_offset(struct bytes offset, struct bytes pid, struct position *ret_at)
{
	char tag[RECOVERY_TAG_LEN + 1];

	/* The pid's last part is its mac, which the tag is the start of. */
	return take_part(&offset, tag, sizeof(tag)) && strlen(tag) == RECOVERY_TAG_LEN &&
	       pid.len > ID_LEN &&
	       memcmp(pid.data + pid.len - ID_LEN, tag, RECOVERY_TAG_LEN) == 0 &&
	       take_position(&offset, ret_at) && offset.len == 0;
}
