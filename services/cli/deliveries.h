/* deliveries: what rings on ww.rt.user.<u>, as lines of JSON. */
#ifndef CLI_DELIVERIES_H
#define CLI_DELIVERIES_H

#include "base/buf.h"
#include "walletwire/v1/delivery.pb-c.h"

/*
 * A line for each item and each state, in that order; returns how many.
 *   {"seq":7,"event":"security:alert","data":{...},"notification":{...}}
 *   {"rev":12,"event":"balance:update","key":"w1","version":3,"data":{...}}
 * At most `max` lines.
 */
size_t deliveries_append(struct buf *out, const Walletwire__V1__Delivery *delivery, size_t max);

#endif
