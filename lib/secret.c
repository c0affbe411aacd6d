/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets in guarded memory, and the files they live in; entry functions secret_new and secret_read_file. Neighbours: lib/arena.c
 * (the memory), lib/file.c (writing), lib/key.c (what is in a key file), conf/ and ike/, which carry secrets from file to charon
 * without ever looking inside.
 */
#include "lib/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/file.h"
#include "lib/owner.h"

#define STACK_SIZE 16384 /* bytes, more than a function of libsodium uses */

static struct secret *digest_key;
static pthread_once_t digest_key_once = PTHREAD_ONCE_INIT;

__attribute__((format(printf, 4, 5))) static int fail(int err, char *buf, size_t size,
						      const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(buf, size, fmt, args);
	va_end(args);
	return err;
}

static void digest_key_make(void)
{
	digest_key = secret_new(crypto_generichash_KEYBYTES);
	if (digest_key)
		randombytes_buf(digest_key->bytes, digest_key->size);
}

int secret_init(char *err, size_t err_size)
{
	const struct rlimit none = {0};

	if (sodium_init() < 0)
		return fail(-EIO, err, err_size, "libsodium does not start: no random numbers");
	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return fail(-errno, err, err_size, "core dumps cannot be switched off: %s",
			    strerror(errno));
	pthread_once(&digest_key_once, digest_key_make);
	return digest_key ? 0 : secret_no_memory(err, err_size);
}

struct secret *secret_new(size_t size)
{
	struct secret *s = calloc(1, sizeof(*s));

	/* The arena needs sodium_init, which is cheap when it was done before. */
	if (!s || sodium_init() < 0)
		goto failed;
	s->bytes = arena_alloc(size);
	if (!s->bytes)
		goto failed;
	s->size = size;
	return s;
failed:
	free(s);
	return NULL;
}

int secret_no_memory(char *err, size_t err_size)
{
	arena_explain(err, err_size);
	return -ENOMEM;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	arena_free(s->bytes);
	free(s);
}

/* Read from the descriptor's stat, not the path's: what was checked is what is read. */
static int secret_check_file(const char *path, const struct stat *st, char *err, size_t err_size)
{
	if (!S_ISREG(st->st_mode))
		return fail(-EINVAL, err, err_size, "%s is not a regular file", path);
	if (!owner_is_good(st->st_uid))
		return fail(-EPERM, err, err_size, "%s belongs to another user: chown %s %s", path,
			    owner_name(), path);
	if (st->st_mode & 077)
		return fail(-EPERM, err, err_size,
			    "%s may be read or changed by others than its owner: chmod 600 %s",
			    path, path);
	if (st->st_size == 0)
		return fail(-ENODATA, err, err_size, "%s is empty", path);
	if (st->st_size > SECRET_MAX)
		return fail(-EFBIG, err, err_size, "%s is larger than %d bytes: not a key", path,
			    SECRET_MAX);
	return 0;
}

/* Up to size bytes; fewer at the end of the file. Returns how many, or -errno. */
static ssize_t read_up_to(int fd, unsigned char *bytes, size_t size)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = read(fd, bytes + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static int secret_read_fd(int fd, const char *path, struct secret **out, char *err, size_t err_size)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail(-errno, err, err_size, "cannot stat %s: %s", path, strerror(errno));
	int rc = secret_check_file(path, &st, err, err_size);
	if (rc)
		return rc;
	struct secret *s = secret_new((size_t)st.st_size);
	if (!s)
		return secret_no_memory(err, err_size);
	ssize_t got = read_up_to(fd, s->bytes, s->size);
	if (got != st.st_size) {
		secret_free(s);
		if (got < 0)
			return fail((int)got, err, err_size, "cannot read %s: %s", path,
				    strerror((int)-got));
		return fail(-EAGAIN, err, err_size, "%s changed while it was read: try again",
			    path);
	}
	*out = s;
	return 0;
}

int secret_read_file(const char *path, struct secret **out, char *err, size_t err_size)
{
	/* O_NONBLOCK: a FIFO in the place of a key must not stop us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char why[512];

	if (fd < 0 && errno == ENOENT)
		return fail(-ENOENT, err, err_size, "%s does not exist", path);
	if (fd < 0) {
		int rc = -errno;

		owner_explain(path, -rc, true, why, sizeof(why));
		return fail(rc, err, err_size, "cannot open %s: %s", path, why);
	}
	int rc = secret_read_fd(fd, path, out, err, err_size);
	close(fd);
	return rc;
}

void secret_trim_newline(struct secret *s)
{
	if (s->size && s->bytes[s->size - 1] == '\n')
		s->bytes[--s->size] = '\0';
	else
		return;
	if (s->size && s->bytes[s->size - 1] == '\r')
		s->bytes[--s->size] = '\0';
}

int secret_write_file(const char *path, const struct secret *s, char *err, size_t err_size)
{
	int rc = file_write_new(path, s->bytes, s->size);

	if (rc == -EEXIST)
		return fail(rc, err, err_size, "%s exists already", path);
	if (rc)
		return fail(rc, err, err_size, "cannot write %s: %s", path, strerror(-rc));
	return 0;
}

void secret_digest(const void *bytes, size_t size, unsigned char out[SECRET_DIGEST_SIZE])
{
	pthread_once(&digest_key_once, digest_key_make);
	if (!digest_key)
		abort(); /* only without secret_init, which fails then */
	crypto_generichash(out, SECRET_DIGEST_SIZE, bytes, size, digest_key->bytes,
			   digest_key->size);
	secret_wipe_stack();
}

void secret_wipe(void *bytes, size_t size)
{
	sodium_memzero(bytes, size);
}

void secret_wipe_stack(void)
{
	sodium_stackzero(STACK_SIZE);
}
