/* test_http: the suites of libs/http's pure parts, and a head made from text. */
#ifndef TEST_HTTP_H
#define TEST_HTTP_H

#include "http/head.h"
#include "support/support.h"

TCase *body_case(void);
TCase *cached_case(void);
TCase *client_address_case(void);
TCase *cors_case(void);
TCase *gate_case(void);
TCase *query_case(void);
TCase *response_case(void);
TCase *visitors_case(void);
TCase *websocket_case(void);

/*
 * "Name: value|Name: value" as the lines of a GET of /; `text` is copied into a buffer that the
 * next call overwrites.
 */
struct http_head head_of(const char *text);

#endif
