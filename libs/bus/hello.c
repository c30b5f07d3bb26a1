/* A NATS server says first what it wants: one line of JSON after "INFO ". */
#include "bus/hello.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"

#define SCHEME "nats://"
#define WAY_OUT                                                                          \
	"nats.c 3.4.1 is not safe with TLS: connect to a nats-server on this host that " \
	"has a TLS leaf link, or to a TLS proxy there (docs/operations.md)"

enum { HELLO_MS = 500, HELLO_MAX = 16 * 1024, HOST_SIZE = 256 };

struct place {
	char host[HOST_SIZE];
	char port[8];
};

/* The next address of the list at *url, which is moved behind it; false at the end. */
static bool next_url(const char **url, struct bytes *ret_one)
{
	const char *start = *url + strspn(*url, ", ");

	*ret_one = bytes_of(start, strcspn(start, ", "));
	*url = start + ret_one->len;
	return ret_one->len > 0;
}

static bool has_prefix(struct bytes text, const char *prefix)
{
	return text.len >= strlen(prefix) && memcmp(text.data, prefix, strlen(prefix)) == 0;
}

enum status hello_check_url(const char *url, struct err *err)
{
	struct bytes one;
	size_t n = 0;

	for (; url && next_url(&url, &one); n++) {
		if (has_prefix(one, "tls://"))
			return err_invalid(err, "url", "TLS is refused: " WAY_OUT);
		if (!has_prefix(one, SCHEME))
			return err_invalid(err, "url", "must be nats://host:port");
	}
	return n > 0 ? STATUS_OK : err_invalid(err, "url", "must be nats://host:port");
}

/* Of "nats://user:password@host:port" or "nats://[::1]"; false if there is no host in it. */
static bool read_place(struct bytes url, struct place *ret_place)
{
	char text[HOST_SIZE + 64];
	char *host, *end, *port;

	if (url.len - strlen(SCHEME) >= sizeof(text))
		return false;
	(void)snprintf(text, sizeof(text), "%.*s", (int)(url.len - strlen(SCHEME)),
	    (const char *)url.data + strlen(SCHEME));
	host = strrchr(text, '@') ? strrchr(text, '@') + 1 : text;
	end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":/");
	if (!end || end == host)
		return false;
	port = strchr(end, ':');
	if (port)
		port[1 + strcspn(port + 1, "/")] = '\0';
	(void)snprintf(ret_place->port, sizeof(ret_place->port), "%s", port ? port + 1 : "4222");
	*end = '\0';
	(void)snprintf(ret_place->host, sizeof(ret_place->host), "%s", host + (host[0] == '['));
	return true;
}

static bool is_connected_by(int fd, int64_t until_ms)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	int64_t left_ms = until_ms - clock_mono_ms();
	int error = 1;
	socklen_t len = sizeof(error);

	return left_ms > 0 && poll(&writable, 1, (int)left_ms) == 1 &&
	       getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
}

/* A socket that is connected, or -1. All addresses are tried, as nats.c does: "localhost" is ::1
 * first on many hosts, where a server that listens on 127.0.0.1 is not. */
static int dial(const struct place *place, int64_t until_ms)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int fd = -1;

	if (getaddrinfo(place->host, place->port, &hints, &found) != 0)
		return -1;
	for (const struct addrinfo *one = found; one && fd < 0; one = one->ai_next) {
		fd = socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0)
			continue;
		(void)connect(fd, one->ai_addr, one->ai_addrlen);
		if (!is_connected_by(fd, until_ms)) {
			(void)close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

/* What the server says up to its first line break, as text; "" if that does not come in time. */
static void listen_to(int fd, int64_t until_ms, char ret_line[static HELLO_MAX])
{
	size_t len = 0;

	ret_line[0] = '\0';
	while (len < HELLO_MAX - 1 && !strchr(ret_line, '\n')) {
		struct pollfd readable = { .fd = fd, .events = POLLIN };
		int64_t left_ms = until_ms - clock_mono_ms();
		ssize_t got = -1;

		if (left_ms > 0 && poll(&readable, 1, (int)left_ms) == 1)
			got = read(fd, ret_line + len, HELLO_MAX - 1 - len);
		if (got <= 0) {
			ret_line[0] = '\0';
			return;
		}
		len += (size_t)got;
		ret_line[len] = '\0';
	}
}

static bool wants_tls(const struct place *place)
{
	int64_t until_ms = clock_mono_ms() + HELLO_MS;
	char line[HELLO_MAX];
	int fd = dial(place, until_ms);

	if (fd < 0)
		return false;
	listen_to(fd, until_ms, line);
	(void)close(fd);
	return strncmp(line, "INFO ", 5) == 0 && strstr(line, "\"tls_required\":true");
}

enum status hello_check_servers(const char *url, struct err *err)
{
	struct place place;
	struct bytes one;

	while (next_url(&url, &one)) {
		if (read_place(one, &place) && wants_tls(&place))
			return err_invalid(err, "url",
			    "the NATS server at %s:%s wants TLS, which is refused: " WAY_OUT,
			    place.host, place.port);
	}
	return STATUS_OK;
}
