/*
 * process: what every program tells of itself, under the names that Prometheus' own clients use,
 * and whether it is ready.
 */
#ifndef METRICS_PROCESS_H
#define METRICS_PROCESS_H

/* `not_ready` gives NULL or why not; it is asked at each rendering. Once, before threads exist. */
void metrics_register_process(const char *(*not_ready)(void *arg), void *arg);

#endif
