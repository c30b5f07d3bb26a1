/* Two numbers. */
#include "presence_order.h"

enum { FIRST = 1 };

/* Without anything in between. */
static bool follows(const struct presence_order *order, uint64_t number, bool is_empty)
{
	return number <= FIRST || (!is_empty && number == order->number + 1);
}

enum presence_place presence_order_take(
    struct presence_order *order, uint64_t generation, uint64_t number, bool is_empty)
{
	bool is_new = generation > order->generation;
	enum presence_place place;

	if (generation < order->generation || (!is_new && number < order->number))
		return PRESENCE_OLD;
	if (!is_new && number == order->number)
		return PRESENCE_AGAIN;
	if (is_new)
		*order = (struct presence_order){ .generation = generation };
	if (!follows(order, number, is_empty))
		place = PRESENCE_GAP;
	else
		place = is_new ? PRESENCE_FIRST : PRESENCE_NEXT;
	order->number = number;
	return place;
}
