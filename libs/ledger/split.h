/*
 * split: the records of one message of the audit stream, each as the bytes that came.
 *
 * A message is AuditRecords, whose one field is repeated: what is kept and hashed are the bytes of
 * each member, not what a decoder makes of them.
 *
 * Pure. Threads: any.
 */
#ifndef LEDGER_SPLIT_H
#define LEDGER_SPLIT_H

#include "base/bytes.h"

/* Takes the next record off the front of `*message`; false at the end, or if it is malformed: then
 * something is left. The record lies inside of the message. */
bool ledger_split(struct bytes *message, struct bytes *ret_record);

#endif
