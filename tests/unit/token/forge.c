/* Straight OpenSSL, so that libs/token is judged by something else than itself. */
#include "forge.h"

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/id.h"
#include "base/xalloc.h"
#include "support/support.h"

/* Keys are also made before tests run, where Check's own assertions can't be used. */
static void must(bool done)
{
	if (!done) {
		perror("forge");
		abort();
	}
}

EVP_PKEY *forge_rsa(unsigned bits)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);

	must(key != NULL);
	return key;
}

EVP_PKEY *forge_ec(const char *group)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);

	must(key != NULL);
	return key;
}

static char *take_bio(BIO *bio)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);
	char *text = xmemdup(data, (size_t)len + 1);

	text[len] = '\0';
	BIO_free(bio);
	return text;
}

char *forge_public_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(PEM_write_bio_PUBKEY(bio, key) == 1);
	must(BIO_write(bio, "", 1) == 1);
	return take_bio(bio);
}

char *forge_private_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	must(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	must(BIO_write(bio, "", 1) == 1);
	return take_bio(bio);
}

void forge_file(const char *dir, const char *name, const void *content, size_t len)
{
	char *path = xasprintf("%s/%s", dir, name);
	char *part = xasprintf("%s/.part", dir);
	int fd;

	(void)mkdir(dir, 0700);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0);
	must(write(fd, content, len) == (ssize_t)len);
	(void)close(fd);
	must(rename(part, path) == 0);
	free(path);
	free(part);
}

void forge_text_file(const char *dir, const char *name, const char *content)
{
	forge_file(dir, name, content, strlen(content));
}

void forge_remove(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);

	must(unlink(path) == 0);
	free(path);
}

char *forge_dir(void)
{
	char id[ID_SIZE];
	char *dir;

	id_random(id);
	dir = xasprintf("%s/%s", support_tmp_dir(), id);
	must(mkdir(dir, 0700) == 0);
	return dir;
}

char *forge_base64url(const void *data, size_t len)
{
	char *text = xmalloc(len / 3 * 4 + 5);
	size_t out = (size_t)EVP_EncodeBlock((unsigned char *)text, data, (int)len);

	while (out && text[out - 1] == '=')
		out--;
	text[out] = '\0';
	for (char *c = text; *c; c++)
		*c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
	return text;
}

char *forge_signing_input(const char *header, const char *payload)
{
	char *a = forge_base64url(header, strlen(header));
	char *b = forge_base64url(payload, strlen(payload));
	char *input = xasprintf("%s.%s", a, b);

	free(a);
	free(b);
	return input;
}

char *forge_token(const char *header, const char *payload, const void *signature, size_t len)
{
	char *input = forge_signing_input(header, payload);
	char *tail = forge_base64url(signature, len);
	char *token = xasprintf("%s.%s", input, tail);

	free(input);
	free(tail);
	return token;
}

char *forge_hs256(const char *header, const char *payload, const void *secret, size_t len)
{
	char *input = forge_signing_input(header, payload);
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = sizeof(mac);

	must(HMAC(EVP_sha256(), secret, (int)len, (const unsigned char *)input, strlen(input), mac,
		 &mac_len) != NULL);
	free(input);
	return forge_token(header, payload, mac, mac_len);
}

static size_t sign(const char *input, EVP_PKEY *key, unsigned char *ret_sig, size_t size)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t len = size;

	must(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1);
	must(EVP_DigestSign(md, ret_sig, &len, (const unsigned char *)input, strlen(input)) == 1);
	EVP_MD_CTX_free(md);
	return len;
}

static char *sign_token(const char *header, const char *payload, EVP_PKEY *key)
{
	char *input = forge_signing_input(header, payload);
	unsigned char sig[1024];
	size_t len = sign(input, key, sig, sizeof(sig));

	free(input);
	return forge_token(header, payload, sig, len);
}

char *forge_rs256(const char *header, const char *payload, EVP_PKEY *key)
{
	return sign_token(header, payload, key);
}

char *forge_es256_der(const char *header, const char *payload, EVP_PKEY *key)
{
	return sign_token(header, payload, key);
}

char *forge_es256(const char *header, const char *payload, EVP_PKEY *key)
{
	char *input = forge_signing_input(header, payload);
	unsigned char der[128], raw[64];
	const unsigned char *at = der;
	size_t len = sign(input, key, der, sizeof(der));
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);

	must(sig != NULL);
	must(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) == 32);
	must(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) == 32);
	ECDSA_SIG_free(sig);
	free(input);
	return forge_token(header, payload, raw, sizeof(raw));
}
