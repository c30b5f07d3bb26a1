/*
 * static_files: a folder, read into memory once.
 *
 * What is served is found by comparing the path of a request with those of the table, byte by byte
 * and as sent: nothing that comes from the network ever reaches the file system. `/x` is x.html if
 * there is no file x, and `/` is index.html.
 *
 * Names that begin with a dot are left out. Everything else has to fit: at most 512 files and
 * folders, 8 MiB, 8 folders deep, names of letters, digits and ._~- alone, links that stay within
 * the folder.
 *
 * Threads: immutable once it was read.
 */
#ifndef EDGE_STATIC_FILES_H
#define EDGE_STATIC_FILES_H

#include "base/buf.h"
#include "base/err.h"
#include "http/cached.h"

enum { STATIC_FILES_MAX = 512, STATIC_BYTES_MAX = 8 << 20, STATIC_DEPTH_MAX = 8 };

/* One coding of a file. */
struct static_body {
	struct bytes data;
	char etag[HTTP_ETAG_SIZE];
};

struct static_file {
	const char *type;        /* of its content */
	bool is_immutable;       /* its name changes with its content: a hash is in it */
	struct static_body body; /* as it is */
	struct static_body gzip; /* empty where that is not smaller */
};

struct static_files;

/* Reads the folder; every failure names what is wrong with which file, or which limit it is over.
 */
enum status static_files_read(
    const char *folder, struct static_files **ret_files, struct err *err) MUST_CHECK;
void static_files_free(struct static_files *files); /* NULL is fine */

size_t static_files_count(const struct static_files *files);
size_t static_files_bytes(const struct static_files *files); /* in memory, both codings */

/* NULL if nothing has this path, which begins with a slash. */
const struct static_file *static_files_find(const struct static_files *files, const char *path);

#endif
