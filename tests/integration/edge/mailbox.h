/*
 * mailbox: a stand-in for ww-notifications in the edge's tests, served over the real NATS.
 *
 * It keeps one mailbox per user in memory and answers open, since, heads, announcements, unread and
 * (for transfers whose id begins with "known") track as the service does; the test decides which
 * doorbells are rung, in which order, and which are lost.
 */
#ifndef TEST_MAILBOX_H
#define TEST_MAILBOX_H

#include "bus/bus.h"

struct mailbox;

struct mailbox *mailbox_start(const char *nats_url);
void mailbox_stop(struct mailbox *mailbox);

/* Append an item (a security alert whose message is its number) and, as one commit, raise the
 * unread total; returns its seq. Nothing is rung. */
uint64_t mailbox_append(struct mailbox *mailbox, const char *user);
/* Raise rev without an item: the unread total is set. */
void mailbox_set_unread(struct mailbox *mailbox, const char *user, uint32_t total);
/* Ring the item `seq` with the states of its commit, or (seq 0) the newest state alone. */
void mailbox_ring(struct mailbox *mailbox, const char *user, uint64_t seq);
/* A restored database: everything starts over under another epoch. */
void mailbox_new_epoch(struct mailbox *mailbox);
/* From now on `open` is not answered; what was asked meanwhile is answered by the release. */
void mailbox_hold_opens(struct mailbox *mailbox);
void mailbox_release_opens(struct mailbox *mailbox);
size_t mailbox_held_opens(struct mailbox *mailbox);
/* The next request of this verb ("since") is not answered. */
void mailbox_lose(struct mailbox *mailbox, const char *verb);
/* Append a row to the announcement log; rung if asked for. */
void mailbox_announce(struct mailbox *mailbox, const char *title, bool ring);

#endif
