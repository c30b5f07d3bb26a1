/* Civil dates by Howard Hinnant's days-from-civil arithmetic: exact, without time zones or libc
 * state. */
#include "base/timestamp.h"

static const int64_t ms_min = INT64_C(-62135596800000); /* 0001-01-01 */
static const int64_t ms_max = INT64_C(253402300799999); /* 9999-12-31 */

static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era;
	unsigned yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = (unsigned)(y - era * 400);
	doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

/* `count` digits and `end`; returns what follows. printf takes ten times as long. */
static char *put(char *at, unsigned n, int count, char end)
{
	for (int i = count - 1; i >= 0; i--) {
		at[i] = (char)('0' + n % 10);
		n /= 10;
	}
	at[count] = end;
	return at + count + 1;
}

size_t timestamp_format(int64_t wall_ms, char ret_text[static TIMESTAMP_TEXT_SIZE])
{
	int64_t ms = wall_ms < ms_min ? ms_min : wall_ms > ms_max ? ms_max : wall_ms;
	unsigned rest = (unsigned)((ms % 86400000 + 86400000) % 86400000);
	int64_t z = (ms - rest) / 86400000 + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;
	unsigned d = doy - (153 * mp + 2) / 5 + 1;
	unsigned m = mp < 10 ? mp + 3 : mp - 9;
	unsigned y = (unsigned)(yoe + era * 400) + (m <= 2);
	char *at = ret_text;

	at = put(at, y, 4, '-');
	at = put(at, m, 2, '-');
	at = put(at, d, 2, 'T');
	at = put(at, rest / 3600000, 2, ':');
	at = put(at, rest / 60000 % 60, 2, ':');
	at = put(at, rest / 1000 % 60, 2, '.');
	at = put(at, rest % 1000, 3, 'Z');
	*at = '\0';
	return (size_t)(at - ret_text);
}

/* `count` digits at *at; -1 if they are not digits. */
static int digits(struct bytes text, size_t *at, int count)
{
	int n = 0;

	for (int i = 0; i < count; i++, (*at)++) {
		if (*at >= text.len || text.data[*at] < '0' || text.data[*at] > '9')
			return -1;
		n = n * 10 + (text.data[*at] - '0');
	}
	return n;
}

static bool literal(struct bytes text, size_t *at, char c)
{
	if (*at >= text.len || text.data[*at] != (uint8_t)c)
		return false;
	(*at)++;
	return true;
}

static bool parse_fraction(struct bytes text, size_t *at, int *ret_ms)
{
	int weight = 100;
	size_t start;

	*ret_ms = 0;
	if (!literal(text, at, '.'))
		return true;
	start = *at;
	while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9') {
		*ret_ms += (text.data[*at] - '0') * weight;
		weight /= 10;
		(*at)++;
	}
	return *at > start && *at - start <= 9;
}

static bool parse_offset(struct bytes text, size_t *at, int *ret_minutes)
{
	int sign, hours, minutes;

	*ret_minutes = 0;
	if (literal(text, at, 'Z') || literal(text, at, 'z'))
		return true;
	if (literal(text, at, '+'))
		sign = 1;
	else if (literal(text, at, '-'))
		sign = -1;
	else
		return false;
	hours = digits(text, at, 2);
	if (hours < 0 || hours > 23 || !literal(text, at, ':'))
		return false;
	minutes = digits(text, at, 2);
	if (minutes < 0 || minutes > 59)
		return false;
	*ret_minutes = sign * (hours * 60 + minutes);
	return true;
}

static int days_in_month(int y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return m == 2 && leap ? 29 : days[m - 1];
}

enum status timestamp_parse(struct bytes text, int64_t *ret_wall_ms, struct err *err)
{
	size_t at = 0;
	int64_t minutes, wall_ms;
	int ms, offset;
	int y = digits(text, &at, 4);
	bool ok = y > 0 && literal(text, &at, '-');
	int mo = ok ? digits(text, &at, 2) : -1;
	int d, h, mi, s;

	ok = mo >= 1 && mo <= 12 && literal(text, &at, '-');
	d = ok ? digits(text, &at, 2) : -1;
	ok = d >= 1 && d <= days_in_month(y, mo) &&
	     (literal(text, &at, 'T') || literal(text, &at, 't'));
	h = ok ? digits(text, &at, 2) : -1;
	ok = h >= 0 && h <= 23 && literal(text, &at, ':');
	mi = ok ? digits(text, &at, 2) : -1;
	ok = mi >= 0 && mi <= 59 && literal(text, &at, ':');
	s = ok ? digits(text, &at, 2) : -1;
	ok = s >= 0 && s <= 60 && parse_fraction(text, &at, &ms) &&
	     parse_offset(text, &at, &offset) && at == text.len;
	if (!ok)
		return err_set(
		    err, STATUS_INVALID, "not an RFC 3339 time such as 2025-01-23T10:30:45.123Z");
	minutes =
	    days_from_civil(y, (unsigned)mo, (unsigned)d) * 1440 + INT64_C(60) * h + mi - offset;
	wall_ms = (minutes * 60 + s) * 1000 + ms;
	if (wall_ms < ms_min ||
	    wall_ms > ms_max) /* the offset can lead out of the years that have a text */
		return err_set(err, STATUS_INVALID, "a time outside of the years 1 to 9999");
	*ret_wall_ms = wall_ms;
	return STATUS_OK;
}
