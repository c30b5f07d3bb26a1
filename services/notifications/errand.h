/*
 * errand: a thread that does one thing at a time for another one, which goes on meanwhile.
 *
 * What the two share is the business of whoever sends: between errand_send() and errand_wait() the
 * errand owns what it was given.
 *
 * Threads: all calls from the one thread that sends.
 */
#ifndef NOTIFICATIONS_ERRAND_H
#define NOTIFICATIONS_ERRAND_H

struct errand;

struct errand *errand_new(void);         /* NULL: there is no thread to be had */
void errand_free(struct errand *errand); /* waits first; NULL is fine */

/* Waits for the one before. */
void errand_send(struct errand *errand, void (*fn)(void *arg), void *arg);
/* Until it is back; at once if it was not sent. */
void errand_wait(struct errand *errand);

#endif
