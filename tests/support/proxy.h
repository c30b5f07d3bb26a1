/*
 * proxy: a TCP port in front of another one, which can be cut: one program loses its server, and
 * nobody else does.
 *
 * Failures fail the running test.
 */
#ifndef SUPPORT_PROXY_H
#define SUPPORT_PROXY_H

#include <stdbool.h>

struct proxy;

/* To 127.0.0.1:port. */
struct proxy *proxy_start(int port);
int proxy_port(const struct proxy *proxy);
/* Every connection is reset, and no new one lives, until it is mended. */
void proxy_cut(struct proxy *proxy);
void proxy_mend(struct proxy *proxy);
/* Once: of a connection on which `mark` was said, the answer to `request`, the next time that is
 * said there, is lost, and the connection is reset. Both texts outlive the proxy. */
void proxy_lose_answer(struct proxy *proxy, const char *mark, const char *request);
bool proxy_has_lost(const struct proxy *proxy);
void proxy_stop(struct proxy *proxy);

#endif
