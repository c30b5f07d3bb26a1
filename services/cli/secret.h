/* secret: passwords, one file per NATS user, and connection strings: files of one line each. */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include "base/err.h"

enum { SECRET_SIZE = 2048 }; /* a connection string names files and hosts */

/* The file's first line. Fails if the file can't be read, is empty, or the line is too long. */
enum status secret_read(
    const char *path, char ret_secret[static SECRET_SIZE], struct err *err) MUST_CHECK;
/* The file `name` of the folder `dir`. */
enum status secret_read_in(const char *dir, const char *name, char ret_secret[static SECRET_SIZE],
    struct err *err) MUST_CHECK;

#endif
