/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place in memory where secrets are: chunks between guard pages that are never swapped and in no core
 * (libsodium's sodium_malloc), cut into blocks between canaries. Safe for threads. Who wants a secret uses lib/secret.h.
 */
#ifndef GWD_LIB_ARENA_H
#define GWD_LIB_ARENA_H

#include <stddef.h>

#define ARENA_SIZE_MAX (128u << 10) /* bytes, a little more than a block can hold */

/*
 * Zeroed bytes, aligned to 16, which arena_free gives back. NULL when size is ARENA_SIZE_MAX or more, when memory ran out,
 * and when it cannot be locked: nothing secret is ever put into memory that may be swapped. After sodium_init.
 */
void *arena_alloc(size_t size);

/* Wipes and gives back. Ends the process (SIGABRT) when somebody wrote beyond either end of the block. NULL is fine. */
void arena_free(void *bytes);

/* Why the last arena_alloc that failed did: a sentence without a full stop, with the limit and who sets it where that is why. */
void arena_explain(char *err, size_t err_size);

/* Bytes locked now. */
size_t arena_locked(void);

#endif
