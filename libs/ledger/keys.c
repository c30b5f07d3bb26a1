/* A few keys: they are looked for one by one. */
#include "ledger/keys.h"

#include <errno.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct ledger_keys {
	size_t len;
	struct ledger_key *at[LEDGER_KEYS_MAX];
};

struct ledger_keys *ledger_keys_new(void)
{
	return xcalloc(1, sizeof(struct ledger_keys));
}

void ledger_keys_free(struct ledger_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->len; i++)
		ledger_key_free(keys->at[i]);
	free(keys);
}

bool ledger_keys_find(const struct ledger_keys *keys, const char *id, size_t *ret_place)
{
	for (size_t i = 0; i < keys->len; i++) {
		if (strcmp(ledger_key_id(keys->at[i]), id) == 0) {
			*ret_place = i;
			return true;
		}
	}
	return false;
}

/* Takes the key. */
static enum status add(
    struct ledger_keys *keys, struct ledger_key *key, const char *path, struct err *err)
{
	size_t place;

	if (ledger_keys_find(keys, ledger_key_id(key), &place)) {
		ledger_key_free(key);
		return STATUS_OK;
	}
	if (keys->len == LEDGER_KEYS_MAX) {
		ledger_key_free(key);
		return err_set(
		    err, STATUS_INVALID, "key file %s: more than %d keys", path, LEDGER_KEYS_MAX);
	}
	keys->at[keys->len++] = key;
	return STATUS_OK;
}

enum status ledger_keys_read(struct ledger_keys *keys, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	struct ledger_key *key = NULL;
	enum status s = STATUS_OK;
	size_t n = 0;

	if (!file)
		return err_set(err, STATUS_INVALID, "key file %s: %s", path, strerror(errno));
	for (; !s; n++) {
		s = ledger_key_next_public(file, path, &key, err);
		if (s || !key)
			break;
		s = add(keys, key, path, err);
	}
	(void)fclose(file);
	if (!s && n == 0)
		s = err_set(err, STATUS_INVALID, "key file %s: holds no public key in PEM", path);
	return s;
}

enum ledger_signer ledger_keys_judge(
    const struct ledger_keys *keys, const struct ledger_head *head, size_t *ret_place)
{
	if (!ledger_keys_find(keys, head->key_id, ret_place))
		return LEDGER_STRANGER;
	return ledger_head_is_good(head, keys->at[*ret_place]) ? LEDGER_SIGNED : LEDGER_FORGED;
}
