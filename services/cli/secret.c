/* Reading files of one line. */
#include "secret.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static enum status path_in(
    const char *dir, const char *name, char ret_path[static PATH_MAX], struct err *err)
{
	if (snprintf(ret_path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return err_set(err, STATUS_INVALID, "%s: the path is too long", dir);
	return STATUS_OK;
}

enum status secret_read(const char *path, char ret_secret[static SECRET_SIZE], struct err *err)
{
	FILE *file = fopen(path, "re");
	bool got;

	if (!file)
		return err_set(err, STATUS_NOT_FOUND, "secret file %s: %s", path, strerror(errno));
	got = fgets(ret_secret, SECRET_SIZE, file) != NULL;
	(void)fclose(file);
	if (!got)
		return err_set(err, STATUS_INVALID, "secret file %s is empty", path);
	if (strlen(ret_secret) == SECRET_SIZE - 1)
		return err_set(err, STATUS_INVALID, "secret file %s: longer than %d bytes", path,
		    SECRET_SIZE - 2);
	ret_secret[strcspn(ret_secret, "\r\n")] = '\0';
	if (!ret_secret[0])
		return err_set(err, STATUS_INVALID, "secret file %s is empty", path);
	return STATUS_OK;
}

enum status secret_read_in(
    const char *dir, const char *name, char ret_secret[static SECRET_SIZE], struct err *err)
{
	char path[PATH_MAX];
	enum status s = path_in(dir, name, path, err);

	return s ? s : secret_read(path, ret_secret, err);
}
