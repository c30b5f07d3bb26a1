/* Events out, figures in. */
#include "report.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "token/token.h"
#include "walletwire/v1/event.pb-c.h"

enum { TOKEN_SECONDS = 7200, TEXT_MAX = 4000, PACKED_MAX = 32768 };

void bench_must(enum status s, const struct err *err)
{
	if (!s)
		return;
	(void)fprintf(stderr, "%s\n", err->msg);
	exit(EXIT_FAILURE);
}

char *bench_token(const char *keys_dir, const char *user)
{
	struct err err = ERR_INIT;
	long long now = clock_wall_ms() / 1000;
	char claims[200];
	char *token;

	(void)snprintf(claims, sizeof(claims), "{\"sub\":\"%s\",\"iat\":%lld,\"exp\":%lld}", user,
	    now, now + TOKEN_SECONDS);
	bench_must(token_mint(keys_dir, "dev", claims, &token, &err), &err);
	return token;
}

const char *bench_lend_token(char **kept, const char *keys_dir, const char *user_format, ...)
{
	char user[64];
	va_list args;

	va_start(args, user_format);
	(void)vsnprintf(user, sizeof(user), user_format, args);
	va_end(args);
	free(*kept);
	*kept = bench_token(keys_dir, user);
	return *kept;
}

struct bus *bench_bus(const char *url, const char *user, const char *password)
{
	struct bus_config cfg = { .url = url, .user = user, .password = password, .name = "bench" };
	struct err err = ERR_INIT;
	struct bus *bus;

	bench_must(bus_open(&cfg, &bus, &err), &err);
	bench_must(bus_wait_connected(bus, 5000, &err), &err);
	return bus;
}

static void on_ack(
    void *arg, uint64_t tag, enum status status, struct bus_ack ack, const char *reason)
{
	(void)arg;
	(void)ack;
	if (status)
		(void)fprintf(
		    stderr, "event %llu was not stored: %s\n", (unsigned long long)tag, reason);
}

static void fill_message(const struct bench_event *in, char message[static TEXT_MAX + 1])
{
	size_t len = (size_t)snprintf(
	    message, TEXT_MAX + 1, "due %zu %lld ", in->number, (long long)in->due_us);

	while (len < in->size && len < TEXT_MAX)
		message[len++] = 'x';
	message[len] = '\0';
}

void bench_publish(struct bus *bus, const struct bench_event *in)
{
	Walletwire__V1__Event event = WALLETWIRE__V1__EVENT__INIT;
	Walletwire__V1__MoneyEvent money = WALLETWIRE__V1__MONEY_EVENT__INIT;
	Walletwire__V1__Decimal amount = WALLETWIRE__V1__DECIMAL__INIT;
	char id[64], message[TEXT_MAX + 1], msg_id[80];
	static uint8_t packed[PACKED_MAX];

	(void)snprintf(id, sizeof(id), "%s-%zu", in->run, in->number);
	(void)snprintf(msg_id, sizeof(msg_id), "payment/%s", id);
	fill_message(in, message);
	amount.units = 1234;
	amount.scale = 2;
	money.amount = &amount;
	money.currency = (char[]){ "EUR" };
	money.message = message;
	money.status = WALLETWIRE__V1__TRANSACTION_STATUS__TRANSACTION_STATUS_COMPLETED;
	event.id = id;
	event.user_ids = in->users;
	event.n_user_ids = in->users_len;
	event.body_case = WALLETWIRE__V1__EVENT__BODY_PAYMENT;
	event.payment = &money;
	if (walletwire__v1__event__get_packed_size(&event) > sizeof(packed))
		abort();
	bus_publish_stored_async(bus, "ww.event.payment", msg_id,
	    bytes_of(packed, walletwire__v1__event__pack(&event, packed)), NULL, in->number, on_ack,
	    NULL);
}

bool bench_read_due(struct bytes packet, size_t *ret_number, int64_t *ret_due_us)
{
	const char *at = memmem(packet.data, packet.len, "\"due ", 5);
	char *end;

	if (!at)
		return false;
	*ret_number = strtoul(at + 5, &end, 10);
	*ret_due_us = strtoll(end, NULL, 10);
	return true;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void bench_sort(int64_t *us, size_t len)
{
	qsort(us, len, sizeof(*us), compare);
}

double bench_percentile_ms(const int64_t *us, size_t len, double p)
{
	return len ? (double)us[(size_t)((double)(len - 1) * p)] / 1000 : 0;
}

void bench_print_latencies(const int64_t *us, size_t len)
{
	const char *comma = "";
	size_t n = 0;

	(void)printf("\"p50ms\":%.2f,\"p99ms\":%.2f,\"p999ms\":%.2f,\"maxMs\":%.2f,"
		     "\"histogramMs\":{",
	    bench_percentile_ms(us, len, 0.5), bench_percentile_ms(us, len, 0.99),
	    bench_percentile_ms(us, len, 0.999), bench_percentile_ms(us, len, 1));
	for (int64_t ms = 1; n < len; ms *= 2) {
		size_t before = n;

		while (n < len && us[n] <= ms * 1000)
			n++;
		if (n == before)
			continue;
		(void)printf("%s\"%lld\":%zu", comma, (long long)ms, n - before);
		comma = ",";
	}
	(void)printf("}");
}

void bench_scrape(int admin_port, struct buf *out)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)admin_port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char chunk[4096];
	ssize_t got;

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == sizeof(request) - 1) {
		while ((got = recv(fd, chunk, sizeof(chunk), 0)) > 0)
			buf_append(out, chunk, (size_t)got);
	}
	(void)close(fd);
}

long bench_metric(const struct buf *scraped, const char *name)
{
	char line[160];
	const char *at;
	int len = snprintf(line, sizeof(line), "\n%s ", name);

	at = scraped->len ? memmem(scraped->data, scraped->len, line, (size_t)len) : NULL;
	return at ? strtol(at + len, NULL, 10) : 0;
}
