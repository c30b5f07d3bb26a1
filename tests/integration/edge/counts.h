/* counts: what edges of this process count, as their /metrics have it. */
#ifndef TEST_COUNTS_H
#define TEST_COUNTS_H

/* A sample that stands there, after a line's end and with the blank behind it: "\nww_edge_users ".
 */
long count_of(const char *sample);
/* Waits for it. */
void expect_count(const char *sample, long value);

#endif
