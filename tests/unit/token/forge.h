/*
 * forge: tokens as an attacker, a careless back end or an identity provider would make them,
 * without the library under test; and keys, made at run time.
 */
#ifndef FORGE_H
#define FORGE_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define FORGE_SECRET "0123456789abcdef0123456789abcdef"

EVP_PKEY *forge_rsa(unsigned bits);
EVP_PKEY *forge_ec(const char *group); /* "P-256" */

/* PEM; the caller's to free(). */
char *forge_public_pem(EVP_PKEY *key);
char *forge_private_pem(EVP_PKEY *key);

/* Writes <dir>/<name> by rename; `dir` is created. */
void forge_file(const char *dir, const char *name, const void *content, size_t len);
void forge_text_file(const char *dir, const char *name, const char *content);
void forge_remove(const char *dir, const char *name);

/* A folder of the test's own inside support_tmp_dir(); the caller's to free(). */
char *forge_dir(void);

/* All of these are the caller's to free(). */
char *forge_base64url(const void *data, size_t len);
char *forge_signing_input(const char *header, const char *payload);
char *forge_token(const char *header, const char *payload, const void *signature, size_t len);
char *forge_hs256(const char *header, const char *payload, const void *secret, size_t len);
char *forge_rs256(const char *header, const char *payload, EVP_PKEY *key);
char *forge_es256(const char *header, const char *payload, EVP_PKEY *key);

/* The same ES256 token with its signature in DER, as some libraries wrongly write it. */
char *forge_es256_der(const char *header, const char *payload, EVP_PKEY *key);

#endif
