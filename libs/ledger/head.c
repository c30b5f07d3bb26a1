/* Eight words with single spaces between them. */
#include "ledger/head.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hex.h"

#define FORMAT "walletwire-audit/1"

enum word {
	WORD_FORMAT,
	WORD_KIND,
	WORD_SHARD,
	WORD_NUMBER,
	WORD_HASH,
	WORD_AT,
	WORD_KEY,
	WORD_SIGNATURE,
	WORDS
};

static const char *const kinds[] = {
	[LEDGER_HEAD] = "head", [LEDGER_ANCHOR] = "anchor", [LEDGER_LOSS] = "loss"
};

const char *ledger_head_word(enum ledger_head_kind kind)
{
	return kinds[kind];
}

bool ledger_head_kind_of(const char *word, enum ledger_head_kind *ret_kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i], word) == 0) {
			*ret_kind = (enum ledger_head_kind)i;
			return true;
		}
	}
	return false;
}

/* What is signed. */
static void append_claim(struct buf *out, const struct ledger_head *head)
{
	char hash[LEDGER_HASH_TEXT_SIZE];

	hex_encode(bytes_of(head->hash.at, sizeof(head->hash.at)), hash);
	buf_appendf(out, FORMAT " %s %lld %lld %s %lld %s", kinds[head->kind],
	    (long long)head->shard, (long long)head->number, hash, (long long)head->at_us,
	    head->key_id);
}

void ledger_head_sign(struct ledger_head *head, const struct ledger_key *key)
{
	struct buf claim = BUF_INIT;

	memcpy(head->key_id, ledger_key_id(key), sizeof(head->key_id));
	append_claim(&claim, head);
	ledger_sign(key, buf_bytes(&claim), head->signature);
	buf_finish(&claim);
}

bool ledger_head_is_good(const struct ledger_head *head, const struct ledger_key *key)
{
	struct buf claim = BUF_INIT;
	bool good;

	append_claim(&claim, head);
	good = strcmp(head->key_id, ledger_key_id(key)) == 0 &&
	       ledger_is_signed(key, buf_bytes(&claim), head->signature);
	buf_finish(&claim);
	return good;
}

void ledger_head_append(struct buf *out, const struct ledger_head *head)
{
	char signature[2 * LEDGER_SIGNATURE_LEN + 1];

	hex_encode(bytes_of(head->signature, sizeof(head->signature)), signature);
	append_claim(out, head);
	buf_appendf(out, " %s", signature);
}

/* Cuts the text at its spaces. */
static bool cut(char *text, char *words[static WORDS])
{
	for (size_t i = 0; i < WORDS; i++) {
		char *space = strchr(text, ' ');

		words[i] = text;
		if ((space != NULL) != (i + 1 < WORDS))
			return false;
		if (space) {
			*space = '\0';
			text = space + 1;
		}
	}
	return true;
}

static bool read_number(const char *text, int64_t *ret_number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret_number = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0';
}

static bool read_words(char *words[static WORDS], struct ledger_head *head)
{
	if (strlen(words[WORD_KEY]) != sizeof(head->key_id) - 1)
		return false;
	memcpy(head->key_id, words[WORD_KEY], sizeof(head->key_id));
	return strcmp(words[WORD_FORMAT], FORMAT) == 0 &&
	       ledger_head_kind_of(words[WORD_KIND], &head->kind) &&
	       read_number(words[WORD_SHARD], &head->shard) &&
	       read_number(words[WORD_NUMBER], &head->number) &&
	       hex_decode(bytes_of_str(words[WORD_HASH]), head->hash.at, sizeof(head->hash.at)) &&
	       read_number(words[WORD_AT], &head->at_us) &&
	       hex_decode(
		   bytes_of_str(words[WORD_SIGNATURE]), head->signature, sizeof(head->signature));
}

enum status ledger_head_parse(struct bytes line, struct ledger_head *ret_head, struct err *err)
{
	char text[LEDGER_HEAD_MAX + 1];
	char *words[WORDS];

	*ret_head = (struct ledger_head){ 0 };
	if (line.len > LEDGER_HEAD_MAX || memchr(line.data, '\0', line.len))
		return err_set(err, STATUS_INVALID, "is no line of a signed head");
	memcpy(text, line.data, line.len);
	text[line.len] = '\0';
	if (!cut(text, words) || !read_words(words, ret_head))
		return err_set(err, STATUS_INVALID, "is no line of a signed head");
	return STATUS_OK;
}
