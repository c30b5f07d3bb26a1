/*
 * static: answers requests for the files that were read at start (static_files.h): GET and HEAD,
 * whole or not at all, with gzip where it is smaller and taken, and 304 for what the client has.
 *
 * Threads: civetweb's workers; bodies are written by the loops.
 */
#ifndef EDGE_STATIC_H
#define EDGE_STATIC_H

#include "edge.h"

/* engine_config.other; `files` is a struct static_files that lives as long as the engine. */
void static_serve(void *files, struct engine *engine, struct http_request *req);

#endif
