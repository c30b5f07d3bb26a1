/* Numbers with commas, and chance that repeats itself. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attrs.h"
#include "sim.h"

const struct sim_table sim_tables[] = {
	{ "storm", sim_storm },
	{ "interest", sim_interest },
	{ "partitions", sim_partitions },
	{ "sweep", sim_sweep },
	{ "apply", sim_apply },
};
const size_t sim_tables_len = ARRAY_LEN(sim_tables);

const char *sim_count(uint64_t n, char ret[static 32])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			ret[at++] = ',';
		ret[at++] = digits[i];
	}
	ret[at] = '\0';
	return ret;
}

/* splitmix64 */
uint64_t sim_below(struct sim_random *random, uint64_t below)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15U;

	assert(below > 0);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return (z ^ (z >> 31)) % below;
}
