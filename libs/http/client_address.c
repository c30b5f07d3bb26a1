/*
 * Whose request it is. A proxy appends the address it was reached from, so what stands on the right
 * was written by the proxy next to us, what stands left of it by whoever came before: it is read
 * from the right, and only as long as the one who wrote it is trusted.
 */
#include <string.h>
#include <strings.h>

#include "http/head.h"

enum { HOPS_MAX = 16 };

/* Some proxies add their client's port: "192.0.2.1:4711", "[2001:db8::1]:4711". */
static struct bytes without_port(struct bytes hop)
{
	const uint8_t *colon = hop.len ? memchr(hop.data, ':', hop.len) : NULL;
	const uint8_t *bracket = hop.len ? memchr(hop.data, ']', hop.len) : NULL;
	size_t after = colon ? (size_t)(hop.data + hop.len - colon) - 1 : 0;

	if (bracket && hop.data[0] == '[')
		return bytes_of(hop.data + 1, (size_t)(bracket - hop.data) - 1);
	if (colon && !memchr(colon + 1, ':', after))
		return bytes_of(hop.data, (size_t)(colon - hop.data));
	return hop;
}

static struct bytes trimmed(struct bytes hop)
{
	while (hop.len && (hop.data[0] == ' ' || hop.data[0] == '\t'))
		hop = bytes_of(hop.data + 1, hop.len - 1);
	while (hop.len && (hop.data[hop.len - 1] == ' ' || hop.data[hop.len - 1] == '\t'))
		hop.len--;
	return hop;
}

/* Takes the last value off the list. */
static struct bytes take_last(struct bytes *list)
{
	size_t start = list->len;
	struct bytes last;

	while (start > 0 && list->data[start - 1] != ',')
		start--;
	last = bytes_of(list->data + start, list->len - start);
	list->len = start ? start - 1 : 0;
	return trimmed(last);
}

/* Goes back one hop for each value of a line; false once the address is found. */
static bool follow(
    struct bytes list, const struct networks *trusted, unsigned *hops, struct address *address)
{
	struct address hop;

	while (list.len) {
		if (!networks_have(trusted, address) || ++*hops > HOPS_MAX ||
		    !address_parse(without_port(take_last(&list)), &hop))
			return false;
		*address = hop;
	}
	return true;
}

bool client_address(const struct http_head *head, const char *peer, const struct networks *trusted,
    struct address *ret_address)
{
	unsigned hops = 0;

	if (!address_parse(bytes_of_str(peer), ret_address))
		return false;
	/* Several lines are one list, in their order (RFC 9110 section 5.3). */
	for (size_t i = head->lines_len; i-- > 0;) {
		if (strcasecmp(head->lines[i].name, "X-Forwarded-For") == 0 &&
		    !follow(bytes_of_str(head->lines[i].value), trusted, &hops, ret_address))
			break;
	}
	return true;
}
