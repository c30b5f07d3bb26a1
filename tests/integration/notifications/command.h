/*
 * command: programs run to their end, `ww` above all, and what they said.
 *
 * Everything fails the running test when it can't.
 */
#ifndef TEST_NOTIFICATIONS_COMMAND_H
#define TEST_NOTIFICATIONS_COMMAND_H

#include <string.h>

#include "world.h"

/* `ww` signs in at this world's nats-server, with everybody's password. */
void command_setup(const struct world *world);

/* A file of this test's: of its passwords, or made by a program. Static. */
const char *command_path(const char *name);
void command_write_password(const char *user);

/* Runs it; the exit code. Its standard output and error together are command_output(). */
int command_run(const char *program, const char *const *words);
const char *command_output(void);
size_t command_lines(void);

#define RUN(program, ...) command_run(program, (const char *const[]){ __VA_ARGS__, NULL })
#define WW(...) RUN("ww", __VA_ARGS__)

#define ck_assert_says(text) \
	ck_assert_msg(strstr(command_output(), text), "not said: %s\n%s", text, command_output())
#define ck_assert_hides(text) \
	ck_assert_msg(!strstr(command_output(), text), "said: %s", command_output())

#endif
