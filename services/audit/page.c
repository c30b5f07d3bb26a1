/* A cursor is a place in words: "<stored at>.<shard>.<number>". */
#include "page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"

static const int64_t YEAR_10000_US = INT64_C(253402300800) * 1000000;

static bool read_number(const char **at, char end, int64_t *ret_number)
{
	char *stop;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*ret_number = strtoll(*at, &stop, 10);
	if (errno || *stop != end)
		return false;
	*at = stop + 1;
	return true;
}

static bool read_place(const char *text, struct store_place *ret_place)
{
	return read_number(&text, '.', &ret_place->stored_us) &&
	       read_number(&text, '.', &ret_place->shard) &&
	       read_number(&text, '\0', &ret_place->number) && ret_place->shard < SHARDS_MAX &&
	       ret_place->stored_us < YEAR_10000_US;
}

enum status page_read(int64_t since_us, int64_t until_us, const char *after, int64_t max,
    struct store_page *ret_page, struct err *err)
{
	if (since_us < 0 || since_us >= YEAR_10000_US)
		return err_invalid(err, "sinceUs", "is no time");
	if (until_us < 0 || until_us >= YEAR_10000_US)
		return err_invalid(err, "untilUs", "is no time");
	*ret_page = (struct store_page){ since_us, until_us ? until_us : clock_wall_us() + 1,
		{ .shard = -1 }, max };
	if (after[0] && !read_place(after, &ret_page->after))
		return err_invalid(err, "after", "is no cursor of a page");
	return STATUS_OK;
}

char *page_next(const struct store_record *last, struct arena *arena)
{
	return arena_printf(arena, "%" PRId64 ".%" PRId64 ".%" PRId64, last->place.stored_us,
	    last->place.shard, last->place.number);
}
