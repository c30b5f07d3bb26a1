/* world: what edges need around them in their tests: a real NATS, a mailbox, a key for tokens. */
#ifndef TEST_EDGE_WORLD_H
#define TEST_EDGE_WORLD_H

#include "client.h"
#include "edge.h"
#include "mailbox.h"
#include "support/nats.h"

struct world {
	struct support_nats nats;
	struct mailbox *mailbox;
	char keys_dir[300];
};
extern struct world world;

void world_start(void);
void world_stop(void);

/* An edge in this process, on free ports, ready. */
void world_start_edge(struct edge *edge, const char *sweep_interval);
void world_stop_edge(struct edge *edge);

/* A socket of the user on that loop; the caller closes and frees it. */
struct client *world_sign_in_on(struct edge *edge, size_t loop, const char *user);

#endif
