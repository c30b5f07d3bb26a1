/* OpenSSL is asked for two things: to read a list of revocations, and what it still holds. */
#include "db/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

static const char *value_of(const PQconninfoOption *parsed, const char *keyword)
{
	for (; parsed->keyword; parsed++) {
		if (strcmp(parsed->keyword, keyword) == 0)
			return parsed->val && parsed->val[0] ? parsed->val : NULL;
	}
	return NULL;
}

/* NULL, or why the file is of no use. */
typedef const char *(*file_check)(FILE *file);

static const char *check_any(FILE *file)
{
	return fgetc(file) == EOF ? "is empty or can't be read" : NULL;
}

static const char *check_crl(FILE *file)
{
	X509_CRL *crl = PEM_read_X509_CRL(file, NULL, NULL, NULL);

	ERR_clear_error(); /* the queue is the thread's, and libpq uses OpenSSL on it */
	X509_CRL_free(crl);
	return crl ? NULL : "holds no certificate revocation list in PEM";
}

static const struct file {
	const char *keyword;
	file_check check; /* NULL: a folder, whose absence libpq does not forgive */
	bool judges;      /* the server: of no use where the server is not judged */
} files[] = {
	{ "sslrootcert", check_any, true },
	{ "sslcrl", check_crl, true },
	{ "sslcrldir", NULL, true },
	{ "sslcert", check_any, false },
	{ "sslkey", check_any, false },
};

static enum status check_file(const struct file *file, const char *path, struct err *err)
{
	FILE *opened = fopen(path, "re");
	const char *why = opened ? file->check(opened) : strerror(errno);

	if (opened)
		(void)fclose(opened);
	return why ? err_set(err, STATUS_INVALID, "%s of the database URL: %s %s", file->keyword,
			 path, why)
		   : STATUS_OK;
}

/* Does the mode see to it that the server is the one that was meant, or at least of its CA? */
static bool is_judging(const char *mode)
{
	return mode && (strcmp(mode, "verify-full") == 0 || strcmp(mode, "verify-ca") == 0);
}

enum status tls_check(const PQconninfoOption *parsed, struct err *err)
{
	const char *mode = value_of(parsed, "sslmode");

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *path = value_of(parsed, files[i].keyword);

		if (!path)
			continue;
		if (files[i].judges && !is_judging(mode))
			return err_set(err, STATUS_INVALID,
			    "%s of the database URL: sslmode=%s does not make sure of the server; "
			    "say sslmode=verify-full",
			    files[i].keyword, mode ? mode : "prefer");
		if (files[i].check && check_file(&files[i], path, err))
			return err->status;
	}
	return STATUS_OK;
}

/*
 * libpq reads at least 8 KiB at a time, a record of TLS may have 16: its rest is in OpenSSL then,
 * and poll() waits for bytes that have all come. Servers up to 16 send none that large; newer ones
 * and poolers do.
 */
bool tls_has_more(PGconn *conn)
{
	SSL *ssl = PQsslStruct(conn, "OpenSSL");

	return ssl && SSL_pending(ssl) > 0;
}
