/*
 * disk_full: a disk without room, for one PostgreSQL server of a test (LD_PRELOAD; no root needed).
 *
 * WW_DISK_FULL names a file. While it holds a word, "base" or "pg_wal", whatever would make a file
 * below a folder of that name grow fails with ENOSPC, as on a disk that is full: what is there
 * already can be written over. Other files, the server's log among them, are left alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* The folder that is full: "/base/". By system calls, since write() and its like are ours here. */
static bool full_folder(char folder[static 32])
{
	const char *flag = getenv("WW_DISK_FULL");
	int fd = flag ? open(flag, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n;

	if (fd < 0)
		return false;
	folder[0] = '/';
	n = read(fd, folder + 1, 29);
	(void)close(fd);
	if (n <= 0)
		return false;
	folder[n + 1] = '/';
	folder[n + 2] = '\0';
	return true;
}

static bool is_below(int fd, const char *folder)
{
	char link[64], path[4096];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	return strstr(path, folder) != NULL;
}

/* Is there no room for a file that reaches to `end`? Then errno says so. */
static bool is_full(int fd, off_t end)
{
	char folder[32];
	struct stat st;
	int before = errno;

	if (full_folder(folder) && is_below(fd, folder) && fstat(fd, &st) == 0 &&
	    end > st.st_size) {
		errno = ENOSPC;
		return true;
	}
	errno = before;
	return false;
}

static off_t length_of(const struct iovec *iov, int len)
{
	off_t sum = 0;

	for (int i = 0; i < len; i++)
		sum += (off_t)iov[i].iov_len;
	return sum;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	return is_full(fd, at + (off_t)len) ? -1 : syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t at) __attribute__((alias("pwrite")));

ssize_t pwritev(int fd, const struct iovec *iov, int len, off_t at)
{
	return is_full(fd, at + length_of(iov, len)) ? -1
						     : syscall(SYS_pwritev, fd, iov, len, at, 0);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int len, off_t at)
    __attribute__((alias("pwritev")));

ssize_t write(int fd, const void *data, size_t len)
{
	off_t at = lseek(fd, 0, SEEK_CUR); /* -1: a pipe or a socket, which has always room */

	return at >= 0 && is_full(fd, at + (off_t)len) ? -1 : syscall(SYS_write, fd, data, len);
}

int posix_fallocate(int fd, off_t at, off_t len)
{
	int before = errno;

	if (is_full(fd, at + len))
		return ENOSPC;
	if (syscall(SYS_fallocate, fd, 0, at, len) == 0)
		return 0;
	len = errno; /* which this function returns instead of setting it */
	errno = before;
	return (int)len;
}

int posix_fallocate64(int fd, off_t at, off_t len) __attribute__((alias("posix_fallocate")));

int ftruncate(int fd, off_t len)
{
	return is_full(fd, len) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate64(int fd, off_t len) __attribute__((alias("ftruncate")));
