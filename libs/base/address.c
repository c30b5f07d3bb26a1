/* inet_pton() reads addresses; a network is an address and how many of its bits count. */
#include "base/address.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/xalloc.h"

enum {
	V4_AT = 12,     /* where the bytes of IPv4 begin */
	V4_PREFIX = 96, /* bits in front of them */
	ADDRESS_BITS = 128,
	TEXT_SIZE = INET6_ADDRSTRLEN,
	PREFIX_DIGITS_MAX = 3,
};

static const uint8_t v4_prefix[V4_AT] = { [10] = 0xff, [11] = 0xff };
static const char separators[] = ", \t";

struct network {
	struct address base;
	unsigned bits;
};

struct networks {
	size_t len;
	struct network list[];
};

bool address_parse(struct bytes text, struct address *ret_address)
{
	char copy[TEXT_SIZE];

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, 0, text.len))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, ret_address->bytes) == 1)
		return true;
	memcpy(ret_address->bytes, v4_prefix, sizeof(v4_prefix));
	return inet_pton(AF_INET, copy, ret_address->bytes + V4_AT) == 1;
}

bool address_is_v4(const struct address *address)
{
	return memcmp(address->bytes, v4_prefix, sizeof(v4_prefix)) == 0;
}

/* --- networks --- */

static bool bit(const struct address *address, unsigned at)
{
	return address->bytes[at / 8] >> (7 - at % 8) & 1;
}

static bool has_bits_behind(const struct network *network)
{
	for (unsigned at = network->bits; at < ADDRESS_BITS; at++) {
		if (bit(&network->base, at))
			return true;
	}
	return false;
}

/* One to three digits, at most `max`. */
static bool read_prefix(struct bytes text, unsigned max, unsigned *ret_bits)
{
	unsigned bits = 0;

	if (text.len == 0 || text.len > PREFIX_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		bits = bits * 10 + (text.data[i] - (unsigned)'0');
	}
	*ret_bits = bits;
	return bits <= max;
}

static bool read_network(struct bytes text, struct network *network)
{
	const uint8_t *slash = memchr(text.data, '/', text.len);
	size_t address_len = slash ? (size_t)(slash - text.data) : text.len;
	unsigned in_front, own = 0;

	if (!address_parse(bytes_of(text.data, address_len), &network->base))
		return false;
	in_front = address_is_v4(&network->base) ? V4_PREFIX : 0;
	network->bits = ADDRESS_BITS;
	if (!slash)
		return true;
	/* ::ffff:10.0.0.0/104 is not read as IPv4 written in the other way: 104 is no prefix. */
	if (!read_prefix(
		bytes_of(slash + 1, text.len - address_len - 1), ADDRESS_BITS - in_front, &own))
		return false;
	network->bits = in_front + own;
	return !has_bits_behind(network);
}

enum status networks_new(const char *text, struct networks **ret_networks, struct err *err)
{
	size_t max = strlen(text) / 2 + 1;
	struct networks *networks = xcalloc(1, sizeof(*networks) + max * sizeof(networks->list[0]));
	const char *at = text + strspn(text, separators);

	while (*at) {
		size_t len = strcspn(at, separators);

		if (!read_network(bytes_of(at, len), &networks->list[networks->len])) {
			networks_free(networks);
			return err_set(err, STATUS_INVALID,
			    "\"%.*s\" is no network: address or address/prefix", (int)len, at);
		}
		networks->len++;
		at += len;
		at += strspn(at, separators);
	}
	*ret_networks = networks;
	return STATUS_OK;
}

void networks_free(struct networks *networks)
{
	free(networks);
}

static bool has(const struct network *network, const struct address *address)
{
	unsigned whole = network->bits / 8;

	/* ::/0 is all of IPv6, and not IPv4 as well. */
	if (address_is_v4(&network->base) != address_is_v4(address) ||
	    memcmp(network->base.bytes, address->bytes, whole) != 0)
		return false;
	for (unsigned at = whole * 8; at < network->bits; at++) {
		if (bit(&network->base, at) != bit(address, at))
			return false;
	}
	return true;
}

bool networks_have(const struct networks *networks, const struct address *address)
{
	for (size_t i = 0; i < networks->len; i++) {
		if (has(&networks->list[i], address))
			return true;
	}
	return false;
}
