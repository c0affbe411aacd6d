/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets in guarded memory (lib/arena.h): guard pages, canaries, locked, wiped when freed.
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
	unsigned char *bytes; /* of the arena */
};

/*
 * First of all: sodium_init, no core dumps (RLIMIT_CORE 0, PR_SET_DUMPABLE 0), and a first piece of locked memory. 0, or -errno and a
 * sentence in err; it may be called again.
 */
int secret_init(char *err, size_t err_size);

/* Guarded zeroed memory of this size. NULL when there is none that can be locked: see secret_no_memory. */
struct secret *secret_new(size_t size);

/*
 * Why secret_new gave NULL, as a sentence for who can help: mostly RLIMIT_MEMLOCK, what it is and what is needed. Returns -ENOMEM.
 */
int secret_no_memory(char *err, size_t err_size);

/* Wipes and frees; NULL is fine. */
void secret_free(struct secret *s);

/*
 * Reads a whole file that only its owner may read. On failure returns -errno and writes one
 * sentence with the remedy to err: absent (-ENOENT), not a regular file (-EINVAL), readable or
 * writable by group or others or owned by none of us, root and gwd (-EPERM), empty (-ENODATA), larger
 * than SECRET_MAX (-EFBIG), changed meanwhile (-EAGAIN). The result is the caller's.
 */
int secret_read_file(const char *path, struct secret **out, char *err, size_t err_size);

/* Cuts one trailing newline (LF or CRLF), as editors leave in a PSK file. */
void secret_trim_newline(struct secret *s);

/* file_write_new (lib/file.h), which root gives to the user gwd, with a sentence in err. -EEXIST when path is there. */
int secret_write_file(const char *path, const struct secret *s, char *err, size_t err_size);

/*
 * Keyed with a random per-process key, so that a digest in memory tells nothing about the secret.
 */
void secret_digest(const void *bytes, size_t size, unsigned char out[SECRET_DIGEST_SIZE]);

void secret_wipe(void *bytes, size_t size);

/* What a function that computed with a secret left on the stack below its caller. libsodium wipes its state, not all of its copies. */
void secret_wipe_stack(void);

#endif
