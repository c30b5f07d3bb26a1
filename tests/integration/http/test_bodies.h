/* test_bodies: the part of test_front about requests that are adopted with a body. */
#ifndef TEST_BODIES_H
#define TEST_BODIES_H

#include <check.h>

TCase *bodies_case(void);

#endif
