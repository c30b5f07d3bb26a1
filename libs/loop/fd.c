/*
 * Sockets of a loop. libuv watches the descriptor and we own it: it leaves epoll before it is
 * closed, because a number that is closed first may already belong to another thread's connection.
 */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/attrs.h"
#include "base/xalloc.h"
#include "loop/internal.h"

/* Small on purpose: with 10,000 idle sockets this is most of what the loop costs. */
struct loop_fd {
	uv_poll_t poll;
	loop_fd_fn fn;
	void *arg;
	int fd;
	int wanted;
};

_Static_assert((int)LOOP_READABLE == (int)UV_READABLE && (int)LOOP_WRITABLE == (int)UV_WRITABLE,
    "masks are passed on");

static void watch(struct loop_fd *lfd, uv_poll_cb on_ready)
{
	int rc = uv_poll_start(&lfd->poll, lfd->wanted, on_ready);

	assert(rc == 0); /* fails only for a number that two of ours claim to own */
	(void)rc;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct loop_fd *lfd = CONTAINER_OF(poll, struct loop_fd, poll);

	loop_turn_begin(poll->loop->data);
	if (status < 0) {
		/* libuv stops watching on an error; its reader finds it, or is told again. */
		watch(lfd, on_ready);
		events = LOOP_READABLE | lfd->wanted;
	}
	lfd->fn(lfd->arg, events);
}

static void on_closed(uv_handle_t *handle)
{
	struct loop_fd *lfd = CONTAINER_OF(handle, struct loop_fd, poll);

	(void)close(lfd->fd);
	free(lfd);
}

struct loop_fd *loop_fd_open(struct loop *loop, int fd, loop_fd_fn fn, void *arg)
{
	struct loop_fd *lfd = xcalloc(1, sizeof(*lfd));
	int rc = uv_poll_init(&loop->uv, &lfd->poll, fd);

	/* Not a socket, or twice the same one: our bug. No kernel memory: as no memory. */
	assert(rc == 0);
	(void)rc;
	lfd->fn = fn;
	lfd->arg = arg;
	lfd->fd = fd;
	return lfd;
}

void loop_fd_want(struct loop_fd *lfd, int events)
{
	if (events == lfd->wanted)
		return;
	lfd->wanted = events;
	watch(lfd, on_ready);
}

int loop_fd_number(const struct loop_fd *lfd)
{
	return lfd->fd;
}

void loop_fd_close(struct loop_fd *lfd)
{
	uv_close((uv_handle_t *)&lfd->poll, on_closed);
}

void loop_fd_close_left(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (handle->type == UV_POLL && !uv_is_closing(handle))
		uv_close(handle, on_closed);
}
