/* Adding up what words will take, before they are packed. */
#include "presence_parts.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/xalloc.h"

enum {
	HEAD_MAX = 256, /* bytes of a report without its words */
	WORD_HEAD = 4,  /* of a word: its tag and length */
};

void presence_parts_begin(struct presence_parts *parts,
    const Walletwire__V1__PresenceReport *report, size_t words_max,
    void (*send)(void *arg, Walletwire__V1__PresenceReport *report), void *arg)
{
	*parts = (struct presence_parts){
		.report = *report, .bytes = HEAD_MAX, .send = send, .arg = arg
	};
	parts->report.first = report->whole;
	parts->report.users = xcalloc(words_max, sizeof(*parts->report.users));
	parts->words = xcalloc(words_max, sizeof(*parts->words));
}

static void send_part(struct presence_parts *parts)
{
	parts->send(parts->arg, &parts->report);
	parts->report.first = false;
	parts->report.n_users = 0;
	parts->bytes = HEAD_MAX;
}

void presence_parts_add(
    struct presence_parts *parts, const Walletwire__V1__PresenceReportUser *word)
{
	size_t size = protobuf_c_message_get_packed_size(&word->base) + WORD_HEAD;
	Walletwire__V1__PresenceReportUser *kept;

	if (parts->bytes + size > PRESENCE_PART_MAX)
		send_part(parts);
	kept = &parts->words[parts->report.n_users];
	*kept = *word;
	parts->report.users[parts->report.n_users++] = kept;
	parts->bytes += size;
}

void presence_parts_end(struct presence_parts *parts)
{
	parts->report.last = parts->report.whole;
	send_part(parts);
	free((void *)parts->report.users);
	free(parts->words);
}
