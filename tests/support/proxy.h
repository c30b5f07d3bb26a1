/*
 * proxy: a TCP port in front of another one, which can be cut: one program loses its server, and
 * nobody else does.
 *
 * Failures fail the running test.
 */
#ifndef SUPPORT_PROXY_H
#define SUPPORT_PROXY_H

struct proxy;

/* To 127.0.0.1:port. */
struct proxy *proxy_start(int port);
int proxy_port(const struct proxy *proxy);
/* Every connection is reset, and no new one lives, until it is mended. */
void proxy_cut(struct proxy *proxy);
void proxy_mend(struct proxy *proxy);
void proxy_stop(struct proxy *proxy);

#endif
