/* The hierarchical timer wheel: arming and disarming touch one list and one bit. */
#include "loop/wheel.h"

#include <assert.h>

static void list_init(struct loop_timer *head)
{
	head->prev = head;
	head->next = head;
}

static void list_append(struct loop_timer *head, struct loop_timer *timer)
{
	timer->prev = head->prev;
	timer->next = head;
	head->prev->next = timer;
	head->prev = timer;
}

static void list_remove(struct loop_timer *timer)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): in a list, so it has neighbours */
	timer->prev->next = timer->next;
	timer->next->prev = timer->prev;
	timer->prev = NULL;
	timer->next = NULL;
}

/* `head` is the head of a slot, or of the due list, that has just become empty. */
static void clear_bit(struct wheel *wheel, const struct loop_timer *head)
{
	ptrdiff_t index;

	if (head == &wheel->due)
		return;
	index = head - &wheel->slots[0][0];
	wheel->occupied[index / WHEEL_SLOTS] &= ~(UINT64_C(1) << index % WHEEL_SLOTS);
}

static int64_t min_ms(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int level_of(const struct wheel *wheel, int64_t when_ms)
{
	uint64_t differ = (uint64_t)(when_ms ^ wheel->now_ms) | 1;

	return (63 - __builtin_clzll(differ)) / WHEEL_BITS;
}

static void place(struct wheel *wheel, struct loop_timer *timer, int64_t when_ms)
{
	int level = level_of(wheel, when_ms);
	unsigned slot = (unsigned)(when_ms >> (level * WHEEL_BITS)) % WHEEL_SLOTS;

	wheel->occupied[level] |= UINT64_C(1) << slot;
	list_append(&wheel->slots[level][slot], timer);
}

static int lowest_level(const struct wheel *wheel)
{
	for (int level = 0; level < WHEEL_LEVELS; level++) {
		if (wheel->occupied[level])
			return level;
	}
	return -1;
}

static int64_t slot_start_ms(const struct wheel *wheel, int level, unsigned slot)
{
	int shift = level * WHEEL_BITS;
	int64_t above = wheel->now_ms >> (shift + WHEEL_BITS) << (shift + WHEEL_BITS);

	return above + ((int64_t)slot << shift);
}

/* Enter the next slot: what is due there goes to the due list, the rest to lower levels. */
static void enter_slot(struct wheel *wheel, int level, unsigned slot)
{
	struct loop_timer *head = &wheel->slots[level][slot];

	wheel->now_ms = slot_start_ms(wheel, level, slot);
	wheel->occupied[level] &= ~(UINT64_C(1) << slot);
	while (head->next != head) {
		struct loop_timer *timer = head->next;

		list_remove(timer);
		if (timer->deadline_ms <= wheel->now_ms)
			list_append(&wheel->due, timer);
		else
			place(wheel, timer, min_ms(timer->deadline_ms, WHEEL_END_MS));
	}
}

void wheel_init(struct wheel *wheel, int64_t now_ms)
{
	assert(now_ms >= 0 && now_ms < WHEEL_END_MS);
	wheel->now_ms = now_ms;
	list_init(&wheel->due);
	for (int level = 0; level < WHEEL_LEVELS; level++) {
		wheel->occupied[level] = 0;
		for (int slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&wheel->slots[level][slot]);
	}
}

void wheel_arm(struct wheel *wheel, struct loop_timer *timer)
{
	int64_t when_ms = min_ms(timer->deadline_ms, WHEEL_END_MS);

	assert(!loop_timer_is_armed(timer));
	place(wheel, timer, when_ms > wheel->now_ms ? when_ms : wheel->now_ms + 1);
}

void wheel_disarm(struct wheel *wheel, struct loop_timer *timer)
{
	struct loop_timer *prev = timer->prev;

	if (!loop_timer_is_armed(timer))
		return;
	list_remove(timer);
	if (prev->next == prev) /* only a head can be its own neighbour */
		clear_bit(wheel, prev);
}

int64_t wheel_next_ms(const struct wheel *wheel)
{
	int level = lowest_level(wheel);

	if (level < 0)
		return -1;
	return slot_start_ms(wheel, level, (unsigned)__builtin_ctzll(wheel->occupied[level]));
}

void wheel_advance(struct wheel *wheel, int64_t now_ms)
{
	int level;

	while ((level = lowest_level(wheel)) >= 0) {
		unsigned slot = (unsigned)__builtin_ctzll(wheel->occupied[level]);

		if (slot_start_ms(wheel, level, slot) > now_ms)
			break;
		enter_slot(wheel, level, slot);
	}
	/* Only now: a callback sees a wheel whose time is the present, so what it arms is later. */
	if (now_ms > wheel->now_ms)
		wheel->now_ms = now_ms;
	while (wheel->due.next != &wheel->due) {
		struct loop_timer *timer = wheel->due.next;

		list_remove(timer);
		timer->fn(timer->arg);
	}
}
