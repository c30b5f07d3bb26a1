/* Ids and jitter from getrandom(2). */
#include "base/id.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *ret_data, size_t len)
{
	uint8_t *next = ret_data;

	while (len > 0) {
		ssize_t got = getrandom(next, len, 0);

		if (got < 0) {
			if (errno == EINTR)
				continue;
			abort(); /* no kernel this runs on lacks it */
		}
		next += got;
		len -= (size_t)got;
	}
}

void id_random(char ret_id[static ID_SIZE])
{
	static const char alphabet[] = ID_ALPHABET;
	uint8_t raw[ID_LEN];

	random_bytes(raw, sizeof(raw));
	for (int i = 0; i < ID_LEN; i++)
		ret_id[i] = alphabet[raw[i] & 63];
	ret_id[ID_LEN] = '\0';
}

uint64_t random_below(uint64_t below)
{
	uint64_t n;

	random_bytes(&n, sizeof(n));
	return n % below; /* the bias is below 2^-32 for any range used here */
}
