/* OpenSSL's HMAC, twenty of its characters. */
#include "token/mac.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { BYTES = ID_LEN / 4 * 3 };

_Static_assert(BYTES * 4 == ID_LEN * 3, "whole groups of base64");

void mac_make(struct bytes key, struct bytes text, char ret_mac[static ID_SIZE])
{
	static const char alphabet[] = ID_ALPHABET;
	unsigned char digest[EVP_MAX_MD_SIZE];
	const unsigned char *made;

	assert(key.len > 0);
	made = HMAC(EVP_sha256(), key.data, (int)key.len, text.data, text.len, digest, NULL);
	assert(made);
	(void)made;
	for (size_t i = 0, out = 0; i < BYTES; i += 3) {
		uint32_t group =
		    (uint32_t)digest[i] << 16 | (uint32_t)digest[i + 1] << 8 | digest[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			ret_mac[out++] = alphabet[group >> shift & 63];
	}
	ret_mac[ID_LEN] = '\0';
}

bool mac_is(struct bytes key, struct bytes text, const char *mac)
{
	char made[ID_SIZE];

	mac_make(key, text, made);
	return strlen(mac) == ID_LEN && CRYPTO_memcmp(made, mac, ID_LEN) == 0;
}
