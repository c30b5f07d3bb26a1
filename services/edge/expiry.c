/* One timer, armed twice. */
#include "expiry.h"

#include "base/clock.h"

enum { SOON_MS = 60000 };

static int64_t left_ms(const struct expiry *expiry)
{
	return expiry->exp_s * 1000 - clock_wall_ms();
}

static void over(void *arg)
{
	const struct expiry *expiry = arg;

	session_close(expiry->socket->session, CLOSE_TOKEN_EXPIRED);
}

static void soon(void *arg)
{
	struct expiry *expiry = arg;
	struct loop *loop = expiry->socket->session->el->loop;

	loop_timer_arm(loop, &expiry->timer, loop_now_ms(loop) + left_ms(expiry), over, expiry);
	if (expiry->on_soon)
		expiry->on_soon(expiry->socket);
}

void expiry_arm(struct expiry *expiry, struct sio_socket *socket, int64_t exp_s,
    void (*on_soon)(struct sio_socket *socket))
{
	struct loop *loop = socket->session->el->loop;
	int64_t wait_ms;

	expiry->socket = socket;
	expiry->exp_s = exp_s;
	expiry->on_soon = on_soon;
	wait_ms = left_ms(expiry) - SOON_MS;
	loop_timer_arm(
	    loop, &expiry->timer, loop_now_ms(loop) + (wait_ms > 0 ? wait_ms : 0), soon, expiry);
}

void expiry_disarm(struct expiry *expiry)
{
	if (expiry->socket)
		loop_timer_disarm(expiry->socket->session->el->loop, &expiry->timer);
}
