/*
 * Files are read on every load and compared by content: they are few and small, and no file
 * system's idea of a modification time can hide a change. Parsing, which is slow in OpenSSL 3, is
 * done only for those that changed. Whoever replaces a key file does it by rename(2), so that no
 * half file is read.
 */
#include "token/keys.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

enum {
	KEY_FILE_MAX = 16 * 1024,
	SECRET_MIN = 32, /* bytes; RFC 7518 section 3.2 */
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 8192, /* the cost of a check grows with the square */
	PATH_SIZE = 4096,
};

/* A file of the directory, read but not understood. */
struct key_file {
	char path[PATH_SIZE];
	char kid[KID_MAX + 1];
	enum key_alg alg;
	uint8_t content[KEY_FILE_MAX + 1];
	size_t len;
	uint8_t digest[KEY_DIGEST_SIZE];
};

static const struct {
	const char *name, *suffix;
} algs[] = {
	[KEY_HS256] = { "HS256", ".hs256" },
	[KEY_RS256] = { "RS256", ".rs256.pem" },
	[KEY_ES256] = { "ES256", ".es256.pem" },
};

_Static_assert(ARRAY_LEN(algs) == KEY_ALGS, "a row per algorithm");

const char *key_alg_name(enum key_alg alg)
{
	return algs[alg].name;
}

bool key_kid_is_valid(const char *kid)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t len = strspn(kid, allowed);

	return len >= 1 && len <= KID_MAX && kid[len] == '\0' && kid[0] != '.';
}

bool key_equal(const struct key *a, const struct key *b)
{
	return strcmp(a->kid, b->kid) == 0 && memcmp(a->digest, b->digest, KEY_DIGEST_SIZE) == 0;
}

uint64_t key_print(const struct key *key)
{
	uint64_t print;

	memcpy(&print, key->digest, sizeof(print));
	return print;
}

void key_unref(struct key *key)
{
	if (!key || atomic_fetch_sub(&key->refs, 1) > 1)
		return;
	if (key->secret)
		OPENSSL_cleanse(key->secret, key->secret_len);
	free(key->secret);
	EVP_PKEY_free(key->public);
	free(key);
}

static struct key *key_ref(struct key *key)
{
	atomic_fetch_add(&key->refs, 1);
	return key;
}

static enum status read_all(int fd, struct key_file *file)
{
	file->len = 0;
	while (file->len < sizeof(file->content)) {
		ssize_t got =
		    read(fd, file->content + file->len, sizeof(file->content) - file->len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return STATUS_UNAVAILABLE;
		if (got == 0)
			break;
		file->len += (size_t)got;
	}
	return STATUS_OK;
}

static void digest_file(struct key_file *file)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t alg = (uint8_t)file->alg;
	int ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
		 EVP_DigestUpdate(md, file->kid, strlen(file->kid) + 1) == 1 &&
		 EVP_DigestUpdate(md, &alg, 1) == 1 &&
		 EVP_DigestUpdate(md, file->content, file->len) == 1 &&
		 EVP_DigestFinal_ex(md, file->digest, NULL) == 1;

	assert(ok && "SHA-256 is there");
	EVP_MD_CTX_free(md);
}

/* STATUS_NOT_FOUND if there is no such file (any more). */
static enum status read_file(struct key_file *file, struct err *err)
{
	struct stat st;
	enum status s = STATUS_OK;
	/* Not blocking: a FIFO must not hang us before fstat() tells what it is. */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_UNAVAILABLE,
		    "key %s: %s", file->path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		s = err_set(err, STATUS_INVALID, "key %s: not a file", file->path);
	else if (read_all(fd, file))
		s = err_set(err, STATUS_UNAVAILABLE, "key %s: %s", file->path, strerror(errno));
	else if (file->len > KEY_FILE_MAX)
		s = err_set(err, STATUS_INVALID, "key %s: larger than 16 KiB", file->path);
	else
		digest_file(file);
	(void)close(fd);
	return s;
}

static enum status parse_secret(const struct key_file *file, struct key *key, struct err *err)
{
	size_t len = file->len;

	if (len && file->content[len - 1] == '\n')
		len--;
	if (len && len < file->len && file->content[len - 1] == '\r')
		len--;
	if (len < SECRET_MIN)
		return err_set(err, STATUS_INVALID, "key %s: a secret has at least %d bytes",
		    file->path, SECRET_MIN);
	if (memcmp(file->content, "-----BEGIN", 10) == 0)
		return err_set(
		    err, STATUS_INVALID, "key %s: this is a PEM file, not a secret", file->path);
	key->secret = xmemdup(file->content, len);
	key->secret_len = len;
	return STATUS_OK;
}

/* A public key has no passphrase; without this OpenSSL would ask the terminal for one. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing, (void)arg;
	return 0;
}

static bool public_is_sound(EVP_PKEY *public)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, public, NULL);
	bool sound = ctx && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return sound;
}

static const char *what_is_wrong(EVP_PKEY *public, enum key_alg alg)
{
	char group[32] = "";
	size_t len;

	if (!public)
		return "not a public key in PEM";
	if (alg == KEY_RS256) {
		int bits = EVP_PKEY_get_bits(public);

		if (!EVP_PKEY_is_a(public, "RSA"))
			return "not an RSA key";
		if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
			return "an RSA key has 2048 to 8192 bits";
	} else {
		if (!EVP_PKEY_is_a(public, "EC"))
			return "not an elliptic curve key";
		if (EVP_PKEY_get_group_name(public, group, sizeof(group), &len) != 1 ||
		    strcmp(group, "prime256v1") != 0)
			return "not on the curve P-256";
	}
	return public_is_sound(public) ? NULL : "the key is not sound";
}

static enum status parse_public(const struct key_file *file, struct key *key, struct err *err)
{
	BIO *bio = BIO_new_mem_buf(file->content, (int)file->len);
	const char *wrong;

	key->public = bio ? PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL) : NULL;
	BIO_free(bio);
	wrong = what_is_wrong(key->public, file->alg);
	ERR_clear_error();
	return wrong ? err_set(err, STATUS_INVALID, "key %s: %s", file->path, wrong) : STATUS_OK;
}

static enum status parse_key(const struct key_file *file, struct key **ret_key, struct err *err)
{
	struct key *key = xcalloc(1, sizeof(*key));
	enum status s;

	memcpy(key->kid, file->kid, sizeof(key->kid));
	memcpy(key->digest, file->digest, sizeof(key->digest));
	key->alg = file->alg;
	atomic_init(&key->refs, 1);
	s = file->alg == KEY_HS256 ? parse_secret(file, key, err) : parse_public(file, key, err);
	if (s) {
		key_unref(key);
		return s;
	}
	*ret_key = key;
	return STATUS_OK;
}

static struct key_file *key_file_new(void)
{
	return xcalloc(1, sizeof(struct key_file));
}

static void key_file_free(struct key_file *file)
{
	OPENSSL_cleanse(file, sizeof(*file));
	free(file);
}

static enum status set_path(
    struct key_file *file, const char *dir, const char *name, struct err *err)
{
	int len = snprintf(file->path, sizeof(file->path), "%s/%s", dir, name);

	if (len < 0 || (size_t)len >= sizeof(file->path))
		return err_set(err, STATUS_INVALID, "key %s: its path is too long", name);
	return STATUS_OK;
}

enum status key_load_secret(const char *dir, const char *kid, struct key **ret_key, struct err *err)
{
	struct key_file *file = key_file_new();
	char name[KID_MAX + 16];
	enum status s;

	assert(key_kid_is_valid(kid));
	(void)snprintf(name, sizeof(name), "%s%s", kid, algs[KEY_HS256].suffix);
	(void)snprintf(file->kid, sizeof(file->kid), "%s", kid);
	file->alg = KEY_HS256;
	s = set_path(file, dir, name, err);
	if (!s)
		s = read_file(file, err);
	if (!s)
		s = parse_key(file, ret_key, err);
	key_file_free(file);
	return s;
}

/* Which algorithm a file is for; false if it is no key (a README, an editor's backup, "..data"). */
static bool name_is_key(const char *name, enum key_alg *ret_alg, size_t *ret_kid_len)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(algs) && name[0] != '.'; i++) {
		size_t suffix = strlen(algs[i].suffix);

		if (len >= suffix && strcmp(name + len - suffix, algs[i].suffix) == 0) {
			*ret_alg = (enum key_alg)i;
			*ret_kid_len = len - suffix;
			return true;
		}
	}
	return false;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(struct key *const *)a)->kid, (*(struct key *const *)b)->kid);
}

static int compare_kid(const void *kid, const void *key)
{
	return strcmp(kid, (*(struct key *const *)key)->kid);
}

struct key *keyset_find(const struct keyset *set, const char *kid)
{
	struct key *const *found =
	    bsearch(kid, set->keys, set->len, sizeof(struct key *), compare_kid);

	return found ? *found : NULL;
}

bool keyset_has_print(const struct keyset *set, uint64_t print)
{
	for (size_t i = 0; i < set->len; i++) {
		if (key_print(set->keys[i]) == print)
			return true;
	}
	return false;
}

bool keyset_equal(const struct keyset *a, const struct keyset *b)
{
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++) {
		if (!key_equal(a->keys[i], b->keys[i]))
			return false;
	}
	return true;
}

struct keyset *keyset_ref(struct keyset *set)
{
	atomic_fetch_add(&set->refs, 1);
	return set;
}

void keyset_unref(struct keyset *set)
{
	if (!set || atomic_fetch_sub(&set->refs, 1) > 1)
		return;
	for (size_t i = 0; i < set->len; i++)
		key_unref(set->keys[i]);
	free(set);
}

/* The first failure of a load is the one that is told. */
struct load {
	const char *dir;
	const struct keyset *old;
	struct keyset *set;
	struct key_file *file; /* one buffer for all */
	enum status status;
	struct err *err;
};

static void note(struct load *load, enum status status, const struct err *err)
{
	if (load->status)
		return;
	load->status = status;
	if (load->err)
		*load->err = *err;
}

static void add_key(struct load *load, struct key *key)
{
	struct err err = ERR_INIT;

	if (load->set->len == KEYS_MAX) {
		note(load,
		    err_set(&err, STATUS_TOO_LARGE, "key directory %s: more than %d keys",
			load->dir, KEYS_MAX),
		    &err);
		key_unref(key);
		return;
	}
	load->set->keys[load->set->len++] = key;
}

/* Read, then take the old key if that is what it says, else parse. */
static enum status make_key(
    struct load *load, const char *name, size_t kid_len, struct key **ret_key, struct err *err)
{
	struct key_file *file = load->file;
	struct key *old;
	enum status s;

	s = set_path(file, load->dir, name, err);
	if (s)
		return s;
	if (kid_len > KID_MAX)
		return err_set(
		    err, STATUS_INVALID, "key %s: its kid is longer than 64 bytes", file->path);
	memcpy(file->kid, name, kid_len);
	file->kid[kid_len] = '\0';
	if (!key_kid_is_valid(file->kid))
		return err_set(
		    err, STATUS_INVALID, "key %s: a kid has only A-Z a-z 0-9 _ . -", file->path);
	s = read_file(file, err);
	if (s)
		return s;
	old = load->old ? keyset_find(load->old, file->kid) : NULL;
	if (old && memcmp(old->digest, file->digest, KEY_DIGEST_SIZE) == 0) {
		*ret_key = key_ref(old);
		return STATUS_OK;
	}
	return parse_key(file, ret_key, err);
}

static void load_file(struct load *load, const char *name)
{
	struct err err = ERR_INIT;
	struct key *key = NULL, *old;
	size_t kid_len;
	enum status s;

	if (!name_is_key(name, &load->file->alg, &kid_len))
		return;
	load->file->kid[0] = '\0';
	s = make_key(load, name, kid_len, &key, &err);
	if (s == STATUS_NOT_FOUND && load->old)
		return; /* went while we looked */
	if (s) {
		note(load, s, &err);
		old = load->old ? keyset_find(load->old, load->file->kid) : NULL;
		key = old && old->alg == load->file->alg ? key_ref(old) : NULL;
	}
	if (key)
		add_key(load, key);
}

/* A kid with two algorithms would let a token choose: neither is taken, the old one stays. */
static void drop_doubles(struct load *load)
{
	struct keyset *set = load->set;
	struct err err = ERR_INIT;
	size_t kept = 0;

	for (size_t i = 0, next; i < set->len; i = next) {
		struct key *key = set->keys[i];

		for (next = i + 1; next < set->len && strcmp(set->keys[next]->kid, key->kid) == 0;
		     next++)
			continue;
		if (next > i + 1) {
			struct key *old = load->old ? keyset_find(load->old, key->kid) : NULL;

			note(load,
			    err_set(&err, STATUS_INVALID, "key directory %s: two keys are named %s",
				load->dir, key->kid),
			    &err);
			if (old)
				key_ref(old);
			for (size_t j = i; j < next; j++)
				key_unref(set->keys[j]);
			key = old;
		}
		if (key)
			set->keys[kept++] = key;
	}
	set->len = kept;
}

static enum status load_dir(struct load *load)
{
	struct err err = ERR_INIT;
	DIR *dir = opendir(load->dir);
	struct dirent *entry;
	int failed;

	if (!dir)
		return err_set(load->err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_UNAVAILABLE,
		    "key directory %s: %s", load->dir, strerror(errno));
	load->set = xcalloc(1, sizeof(*load->set));
	atomic_init(&load->set->refs, 1);
	while (errno = 0, (entry = readdir(dir)))
		load_file(load, entry->d_name);
	failed = errno;
	(void)closedir(dir);
	if (failed) { /* a key must not go because of a bad disk */
		keyset_unref(load->set);
		load->set = NULL;
		return err_set(load->err, STATUS_UNAVAILABLE, "key directory %s: %s", load->dir,
		    strerror(failed));
	}
	qsort(load->set->keys, load->set->len, sizeof(struct key *), compare_keys);
	drop_doubles(load);
	if (!load->old && load->set->len == 0)
		note(load,
		    err_set(&err, STATUS_NOT_FOUND, "key directory %s: it has no keys", load->dir),
		    &err);
	return load->status;
}

enum status keyset_load(
    const char *dir, const struct keyset *old, struct keyset **ret_set, struct err *err)
{
	struct load load = { .dir = dir, .old = old, .file = key_file_new(), .err = err };
	enum status s = load_dir(&load);

	key_file_free(load.file);
	if (s && !old) {
		keyset_unref(load.set);
		load.set = NULL;
	}
	*ret_set = load.set;
	return s;
}
