/* A walk over the folder, then a table in the order of paths. */
#include "static_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/id.h"
#include "base/xalloc.h"
#include "http/gzip.h"

#define SETTING_NAME "static-dir"
#define NAME_CHARS ID_ALPHABET ".~"
#define HTML ".html"

enum { PATH_SIZE = 256, HASH_MIN = 8 };

/* A path that is served; several may be one file. */
struct entry {
	char *path;
	const struct static_file *file;
};

struct static_files {
	struct entry *entries; /* in the order of paths */
	size_t entries_len;
	struct static_file **files;
	size_t files_len;
	size_t bytes;
};

/* --- what a name tells --- */

static const struct content_type {
	const char *extension, *type;
	bool is_text; /* worth compressing */
} content_types[] = {
	{ ".html", "text/html; charset=utf-8", true },
	{ ".js", "text/javascript; charset=utf-8", true },
	{ ".mjs", "text/javascript; charset=utf-8", true },
	{ ".css", "text/css; charset=utf-8", true },
	{ ".json", "application/json", true },
	{ ".map", "application/json", true },
	{ ".webmanifest", "application/manifest+json", true },
	{ ".svg", "image/svg+xml", true },
	{ ".txt", "text/plain; charset=utf-8", true },
	{ ".ico", "image/vnd.microsoft.icon", false },
	{ ".png", "image/png", false },
	{ ".jpg", "image/jpeg", false },
	{ ".webp", "image/webp", false },
	{ ".woff2", "font/woff2", false },
	{ ".wasm", "application/wasm", true },
	{ "", "application/octet-stream", false },
};

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static const struct content_type *type_of(const char *path)
{
	const struct content_type *type = content_types;

	while (!ends_in(path, type->extension)) /* the last one always fits */
		type++;
	return type;
}

static bool is_hash(const char *text, size_t len)
{
	return len >= HASH_MIN && strspn(text, ID_ALPHABET) >= len &&
	       strcspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") < len;
}

/*
 * /assets/main-Bx3_k9aZ.js, /assets/main.3f2a1b4c5d6e.js: what build tools name after its content.
 * A hash may itself hold the `-` that stands before it; one that looks like a word is not taken for
 * one, which costs a question and nothing else.
 */
static bool has_hash(const char *path)
{
	const char *name = strrchr(path, '/') + 1, *end = strrchr(name, '.');
	const char *start = end;

	if (strncmp(path, "/assets/", 8) != 0 || !end)
		return false;
	while (start > name && start[-1] != '.' && start[-1] != '-')
		start--;
	if (start > name && is_hash(start, (size_t)(end - start)))
		return true;
	return end - name > HASH_MIN && strchr(".-", end[-HASH_MIN - 1]) &&
	       is_hash(end - HASH_MIN, HASH_MIN);
}

/* --- reading --- */

struct reading {
	struct static_files *files;
	const char *folder; /* without links */
	size_t seen;        /* files and folders */
	size_t bytes;       /* of the files as they are */
	struct err *err;
};

static void fill_body(struct static_body *body, struct buf *data, const char *etag_suffix)
{
	size_t len;
	const uint8_t *taken = buf_take(data, &len);

	body->data = bytes_of(taken, len);
	http_etag(body->data, etag_suffix, body->etag);
}

static void add_entry(struct static_files *files, const char *path, const struct static_file *file)
{
	files->entries =
	    xrealloc(files->entries, (files->entries_len + 1) * sizeof(*files->entries));
	files->entries[files->entries_len++] = (struct entry){ xstrdup(path), file };
}

static void add_file(struct static_files *files, const char *path, struct buf *data)
{
	struct static_file *file = xcalloc(1, sizeof(*file));
	const struct content_type *type = type_of(path);
	struct buf gzip = BUF_INIT;

	file->type = type->type;
	file->is_immutable = has_hash(path);
	fill_body(&file->body, data, "");
	if (type->is_text)
		http_gzip_append(&gzip, file->body.data);
	if (gzip.len > 0 && gzip.len < file->body.data.len)
		fill_body(&file->gzip, &gzip, "-gzip");
	buf_finish(&gzip);
	files->bytes += file->body.data.len + file->gzip.data.len;
	files->files =
	    xrealloc(files->files, (files->files_len + 1) * sizeof(struct static_file *));
	files->files[files->files_len++] = file;
	add_entry(files, path, file);
}

static enum status wrong(const struct reading *reading, const char *path, const char *what)
{
	return err_invalid(reading->err, SETTING_NAME, "%s%s: %s", reading->folder, path, what);
}

static enum status wrong_errno(const struct reading *reading, const char *path)
{
	char text[128];

	return wrong(reading, path, strerror_r(errno, text, sizeof(text)));
}

/* All of it, of a size that was looked at before any memory was taken. */
static enum status read_open(
    struct reading *reading, const char *path, int fd, size_t size, struct buf *ret_data)
{
	uint8_t *at = buf_reserve(ret_data, size);

	while (ret_data->len < size) {
		ssize_t n = read(fd, at + ret_data->len, size - ret_data->len);

		if (n < 0)
			return wrong_errno(reading, path);
		if (n == 0)
			return wrong(reading, path, "became shorter while it was read");
		ret_data->len += (size_t)n;
	}
	return STATUS_OK;
}

static enum status read_file(struct reading *reading, const char *path, const char *full)
{
	struct buf data = BUF_INIT;
	struct stat st;
	enum status s;
	int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) != 0)
		s = wrong_errno(reading, path);
	else if ((uint64_t)st.st_size > STATIC_BYTES_MAX - reading->bytes)
		s = err_invalid(reading->err, SETTING_NAME,
		    "%s holds more than the %d bytes that may be served (at %s)", reading->folder,
		    STATIC_BYTES_MAX, path);
	else
		s = read_open(reading, path, fd, (size_t)st.st_size, &data);
	if (fd >= 0)
		(void)close(fd);
	if (!s) {
		reading->bytes += data.len;
		add_file(reading->files, path, &data);
	}
	buf_finish(&data);
	return s;
}

/* A link is followed to where it leads, which has to be within the folder. */
static bool stays_inside(const struct reading *reading, const char *full)
{
	char *real = realpath(full, NULL);
	size_t len = strlen(reading->folder);
	bool is_inside = real && strncmp(real, reading->folder, len) == 0 && real[len] == '/';

	free(real);
	return is_inside;
}

static enum status read_folder(
    struct reading *reading, const char *path, const char *full, size_t depth);

static enum status read_entry(struct reading *reading, const char *path, size_t depth)
{
	char full[PATH_MAX];
	struct stat st;

	if (++reading->seen > STATIC_FILES_MAX)
		return err_invalid(reading->err, SETTING_NAME,
		    "%s holds more than the %d files and folders that may be served",
		    reading->folder, STATIC_FILES_MAX);
	if (snprintf(full, sizeof(full), "%s%s", reading->folder, path) >= (int)sizeof(full))
		return wrong(reading, path, "its path is too long");
	if (lstat(full, &st) != 0)
		return wrong_errno(reading, path);
	if (S_ISLNK(st.st_mode) && !stays_inside(reading, full))
		return wrong(reading, path, "is a link that leads out of the folder, or nowhere");
	if (stat(full, &st) != 0)
		return wrong_errno(reading, path);
	if (S_ISDIR(st.st_mode))
		return read_folder(reading, path, full, depth + 1);
	if (!S_ISREG(st.st_mode))
		return wrong(reading, path, "is neither a file nor a folder");
	return read_file(reading, path, full);
}

static enum status read_name(
    struct reading *reading, const char *folder_path, const char *name, size_t depth)
{
	char path[PATH_SIZE];

	if (name[0] == '.')
		return STATUS_OK;
	if (snprintf(path, sizeof(path), "%s/%s", folder_path, name) >= (int)sizeof(path))
		return wrong(reading, folder_path, "holds a path that is too long");
	if (name[strspn(name, NAME_CHARS)] != '\0')
		return wrong(reading, path, "only letters, digits and ._~- may be in a name");
	return read_entry(reading, path, depth);
}

static enum status read_folder(
    struct reading *reading, const char *path, const char *full, size_t depth)
{
	enum status s = STATUS_OK;
	const struct dirent *found;
	DIR *dir;

	if (depth > STATIC_DEPTH_MAX)
		return wrong(reading, path, "is more than 8 folders deep");
	dir = opendir(full);
	if (!dir)
		return wrong_errno(reading, path);
	while (!s && (found = readdir(dir)))
		s = read_name(reading, path, found->d_name, depth);
	(void)closedir(dir);
	return s;
}

/* --- the table --- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static void sort(struct static_files *files)
{
	if (files->entries_len)
		qsort(files->entries, files->entries_len, sizeof(*files->entries), by_path);
}

/* A file of that name goes before the page. */
static void add_pages(struct static_files *files)
{
	size_t len = files->entries_len;

	sort(files);
	for (size_t i = 0; i < len; i++) {
		struct entry page = files->entries[i];
		char path[PATH_SIZE];

		if (strcmp(page.path, "/index" HTML) == 0)
			add_entry(files, "/", page.file);
		if (!ends_in(page.path, HTML))
			continue;
		(void)snprintf(
		    path, sizeof(path), "%.*s", (int)(strlen(page.path) - strlen(HTML)), page.path);
		if (!bsearch(&(struct entry){ .path = path }, files->entries, len,
			sizeof(*files->entries), by_path))
			add_entry(files, path, page.file);
	}
	sort(files);
}

enum status static_files_read(const char *folder, struct static_files **ret_files, struct err *err)
{
	char *real = realpath(folder, NULL);
	struct reading reading = { .folder = real ? real : folder, .err = err };
	enum status s;

	if (!real)
		return wrong_errno(&reading, "");
	reading.files = xcalloc(1, sizeof(*reading.files));
	s = read_folder(&reading, "", real, 0);
	free(real);
	if (s) {
		static_files_free(reading.files);
		return s;
	}
	add_pages(reading.files);
	*ret_files = reading.files;
	return STATUS_OK;
}

static void free_body(struct static_body *body)
{
	free((void *)(uintptr_t)body->data.data);
}

void static_files_free(struct static_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->entries_len; i++)
		free(files->entries[i].path);
	for (size_t i = 0; i < files->files_len; i++) {
		free_body(&files->files[i]->body);
		free_body(&files->files[i]->gzip);
		free(files->files[i]);
	}
	free(files->entries);
	free(files->files);
	free(files);
}

size_t static_files_count(const struct static_files *files)
{
	return files->files_len;
}

size_t static_files_bytes(const struct static_files *files)
{
	return files->bytes;
}

const struct static_file *static_files_find(const struct static_files *files, const char *path)
{
	const struct entry *entry = NULL;

	if (files->entries_len)
		entry = bsearch(&(struct entry){ .path = (char *)(uintptr_t)path }, files->entries,
		    files->entries_len, sizeof(*files->entries), by_path);
	return entry ? entry->file : NULL;
}
