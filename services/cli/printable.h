/*
 * printable: JSON as a terminal may have it.
 *
 * What is shown was written by clients and back ends. In JSON characters below U+0020 are escaped
 * anyway; a terminal also obeys DEL and U+0080 to U+009F, and turns lines around for bidirectional
 * marks: these become \uXXXX as well, which means the same to whoever parses it.
 *
 * Pure. Threads: any.
 */
#ifndef CLI_PRINTABLE_H
#define CLI_PRINTABLE_H

#include "base/buf.h"

/* Line breaks between documents stay. Bytes that are no UTF-8 become U+FFFD. */
void printable_append(struct buf *out, struct bytes json);

#endif
