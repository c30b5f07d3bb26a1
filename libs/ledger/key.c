/* OpenSSL's EVP over files that are opened once and judged by what was opened. */
#include "ledger/key.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/xalloc.h"
#include "ledger/chain.h"

enum {
	RAW_LEN = 32,
	OTHERS = S_IRWXG | S_IRWXO,
	/* What root has put there for a group, as Kubernetes mounts a secret: PostgreSQL's rule. */
	OTHERS_OF_ROOTS = S_IWGRP | S_IXGRP | S_IRWXO,
};

struct ledger_key {
	EVP_PKEY *pkey;
	char id[LEDGER_KEY_ID_SIZE];
};

static enum status fail(struct err *err, const char *path, const char *what)
{
	ERR_clear_error(); /* the queue is the thread's, and others use OpenSSL on it */
	return err_set(err, STATUS_INVALID, "key file %s: %s", path, what);
}

/* --- files --- */

static enum status check_private(int fd, const char *path, struct err *err)
{
	struct stat st;
	bool is_ours;

	if (fstat(fd, &st) != 0)
		return fail(err, path, strerror(errno));
	is_ours = st.st_uid == geteuid();
	if (!S_ISREG(st.st_mode))
		return fail(err, path, "is no file");
	if (!is_ours && st.st_uid != 0)
		return fail(err, path, "belongs to another user");
	if (st.st_mode & (is_ours ? OTHERS : OTHERS_OF_ROOTS))
		return err_set(err, STATUS_INVALID,
		    "key file %s: its mode is %03o, so others may use it: chmod 600", path,
		    (unsigned)st.st_mode & 0777);
	return STATUS_OK;
}

static enum status take(
    EVP_PKEY *pkey, const char *path, struct ledger_key **ret_key, struct err *err)
{
	struct ledger_hash hash;
	uint8_t raw[RAW_LEN];
	size_t len = sizeof(raw);

	if (!pkey || EVP_PKEY_base_id(pkey) != EVP_PKEY_ED25519 ||
	    EVP_PKEY_get_raw_public_key(pkey, raw, &len) != 1) {
		EVP_PKEY_free(pkey);
		return fail(err, path, "holds no Ed25519 key of this kind in PEM");
	}
	*ret_key = xcalloc(1, sizeof(**ret_key));
	(*ret_key)->pkey = pkey;
	hash = ledger_digest(bytes_of(raw, len));
	hex_encode(bytes_of(hash.at, (LEDGER_KEY_ID_SIZE - 1) / 2), (*ret_key)->id);
	return STATUS_OK;
}

static FILE *adopt(int fd, const char *mode)
{
	FILE *file = fdopen(fd, mode);

	if (!file)
		(void)close(fd);
	return file;
}

/* Never asks at a terminal. */
static int no_passphrase(char *buf, int size, int rw, void *arg)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)arg;
	return -1;
}

enum status ledger_key_read_private(const char *path, struct ledger_key **ret_key, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	EVP_PKEY *pkey;
	FILE *file;

	if (fd < 0)
		return fail(err, path, strerror(errno));
	if (check_private(fd, path, err)) {
		(void)close(fd);
		return err->status;
	}
	file = adopt(fd, "r");
	if (!file)
		return fail(err, path, strerror(errno));
	pkey = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	(void)fclose(file);
	return take(pkey, path, ret_key, err);
}

/* By hand: PEM_read_PUBKEY() tells no end from a fault. */
enum status ledger_key_next_public(
    FILE *file, const char *path, struct ledger_key **ret_key, struct err *err)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	bool got = PEM_read(file, &name, &header, &data, &len) == 1;
	bool is_end = !got && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	const unsigned char *at = data;
	EVP_PKEY *pkey = NULL;

	if (got && strcmp(name, PEM_STRING_PUBLIC) == 0)
		pkey = d2i_PUBKEY(NULL, &at, len);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	*ret_key = NULL;
	if (!is_end)
		return take(pkey, path, ret_key, err);
	ERR_clear_error();
	return STATUS_OK;
}

enum status ledger_key_make(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	EVP_PKEY *pkey;
	FILE *file;
	bool fine;

	if (fd < 0)
		return fail(err, path, strerror(errno));
	file = adopt(fd, "w");
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	fine = file && pkey &&
	       PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, no_passphrase, NULL) == 1 &&
	       fflush(file) == 0 && fsync(fd) == 0;
	EVP_PKEY_free(pkey);
	if (file)
		fine = fclose(file) == 0 && fine;
	if (fine)
		return STATUS_OK;
	(void)unlink(path); /* half a key would stand in the way of a whole one */
	return fail(err, path, "can't be written");
}

void ledger_key_free(struct ledger_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

/* --- use --- */

const char *ledger_key_id(const struct ledger_key *key)
{
	return key->id;
}

void ledger_key_append_public(struct buf *out, const struct ledger_key *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	bool fine = bio && PEM_write_bio_PUBKEY(bio, key->pkey) == 1;
	long len = fine ? BIO_get_mem_data(bio, &text) : 0;

	assert(len > 0);
	buf_append(out, text, (size_t)len);
	BIO_free(bio);
}

void ledger_sign(const struct ledger_key *key, struct bytes data,
    uint8_t ret_signature[static LEDGER_SIGNATURE_LEN])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t len = LEDGER_SIGNATURE_LEN;
	bool fine = md && EVP_DigestSignInit(md, NULL, NULL, NULL, key->pkey) == 1 &&
		    EVP_DigestSign(md, ret_signature, &len, data.data, data.len) == 1;

	assert(fine && len == LEDGER_SIGNATURE_LEN);
	EVP_MD_CTX_free(md);
}

bool ledger_is_signed(const struct ledger_key *key, struct bytes data,
    const uint8_t signature[static LEDGER_SIGNATURE_LEN])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md && EVP_DigestVerifyInit(md, NULL, NULL, NULL, key->pkey) == 1 &&
		    EVP_DigestVerify(md, signature, LEDGER_SIGNATURE_LEN, data.data, data.len) == 1;

	EVP_MD_CTX_free(md);
	if (!good)
		ERR_clear_error();
	return good;
}
