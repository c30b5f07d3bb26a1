/* poller: one Engine.IO session over HTTP long-polling, each request on a connection of its own. */
#ifndef TEST_POLLER_H
#define TEST_POLLER_H

enum { POLLER_TEXT_MAX = 1 << 16 };

struct poller {
	char sid[128];
	int status;                 /* of the newest answer; 0: the edge closed without one */
	char body[POLLER_TEXT_MAX]; /* and its body */
};

/* The handshake at the edge of this port; the open packet was read. */
void poller_open(struct poller *poller, int port);

/* Each at the edge of `port`, whose session it need not be. */
void poller_post(struct poller *poller, int port, const char *body);
void poller_get(struct poller *poller, int port);

/* A GET in two steps: it waits meanwhile. */
int poller_get_start(struct poller *poller, int port);
void poller_get_finish(struct poller *poller, int fd);

/* GETs, alternately at the two ports, pings answered, until a body has `what` in it. */
const char *poller_expect(struct poller *poller, const int ports[2], const char *what);

#endif
