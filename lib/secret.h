/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets in libsodium-guarded memory: guard pages, canary, mlock, wiped when freed.
 * No function here formats a secret into a log, an error or any other memory.
 */
#ifndef GWD_LIB_SECRET_H
#define GWD_LIB_SECRET_H

#include <stddef.h>
#include <stdint.h>

#define SECRET_MAX 65536 /* bytes; a longer file is not a key */
#define SECRET_DIGEST_SIZE 32

struct secret {
	size_t size; /* bytes */
	unsigned char *bytes; /* sodium_malloc */
};

/* sodium_init, no core dumps (RLIMIT_CORE 0, PR_SET_DUMPABLE 0). 0 or -errno. */
int secret_init(void);

/*
 * Guarded zeroed memory of this size; NULL when out of memory. Beyond RLIMIT_MEMLOCK it is guarded
 * and wiped, but may be swapped (sodium_malloc).
 */
struct secret *secret_new(size_t size);

/* Wipes and frees; NULL is fine. */
void secret_free(struct secret *s);

/*
 * Reads a whole file that only its owner may read. On failure returns -errno and writes one
 * sentence with the remedy to err: absent (-ENOENT), not a regular file (-EINVAL), readable or
 * writable by group or others or owned by neither us nor root (-EPERM), empty (-ENODATA), larger
 * than SECRET_MAX (-EFBIG), changed meanwhile (-EAGAIN). The result is the caller's.
 */
int secret_read_file(const char *path, struct secret **out, char *err, size_t err_size);

/* Cuts one trailing newline (LF or CRLF), as editors leave in a PSK file. */
void secret_trim_newline(struct secret *s);

/* file_write_new (lib/file.h), with a sentence in err. -EEXIST when path is there. */
int secret_write_file(const char *path, const struct secret *s, char *err, size_t err_size);

/*
 * Keyed with a random per-process key, so that a digest in memory tells nothing about the secret.
 */
void secret_digest(const void *bytes, size_t size, unsigned char out[SECRET_DIGEST_SIZE]);

void secret_wipe(void *bytes, size_t size);

#endif
