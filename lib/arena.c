/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A buddy allocator in locked memory; entry functions arena_alloc and arena_free. Neighbour: lib/secret.c, its only caller.
 *
 * sodium_malloc alone takes three pages more than a secret has, and goes on silently when mlock fails. So whole chunks are taken
 * from it, and one that cannot be locked is given back. A chunk is halved until a block fits; two free halves become one again
 * (Knuth, The Art of Computer Programming, 2.5), and a chunk that is free as a whole goes back, but for the last.
 * Blocks hold their own heads and lists, so that there is nothing beside them but the chunks' addresses.
 */
#include "lib/arena.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

#define CHUNK_ORDER 18 /* 256 KiB */
#define CHUNK_SIZE ((size_t)1 << CHUNK_ORDER)
#define CHUNKS_MAX 2048
#define ORDER_MIN 6 /* 64 bytes, 40 of them for the secret */

struct block {
	uint64_t mark; /* the canary of a block in use, its complement in a free one */
	uint32_t size; /* bytes asked for */
	uint16_t chunk;
	uint16_t order; /* the block has 2^order bytes */
};

struct free_block {
	struct block head;
	struct free_block *before, *next;
};

static struct {
	pthread_mutex_t lock;
	unsigned char *chunks[CHUNKS_MAX];
	size_t n_chunks;
	struct free_block *free[CHUNK_ORDER + 1];
	uint64_t canary; /* 0: not drawn yet */
	int fault; /* errno of the last failure */
	bool unlocked; /* it was that of mlock */
} arena = {.lock = PTHREAD_MUTEX_INITIALIZER, .fault = ENOMEM};

/* What libsodium locks of a chunk: its bytes, and a page for the canary before them. */
static size_t chunk_locked(void)
{
	return CHUNK_SIZE + (size_t)sysconf(_SC_PAGESIZE);
}

static uint64_t mark_of(const struct block *b, bool used)
{
	uint64_t mark = arena.canary ^ (uintptr_t)b;

	return used ? mark : ~mark;
}

static void list_add(struct block *b)
{
	struct free_block *f = (struct free_block *)b;

	b->mark = mark_of(b, false);
	f->before = NULL;
	f->next = arena.free[b->order];
	if (f->next)
		f->next->before = f;
	arena.free[b->order] = f;
}

static void list_remove(struct block *b)
{
	struct free_block *f = (struct free_block *)b;

	if (f->before)
		f->before->next = f->next;
	else
		arena.free[b->order] = f->next;
	if (f->next)
		f->next->before = f->before;
}

/* The other half of what the block was cut from. */
static struct block *buddy_of(const struct block *b)
{
	unsigned char *base = arena.chunks[b->chunk];
	size_t offset = (size_t)((const unsigned char *)b - base);

	return (struct block *)(base + (offset ^ ((size_t)1 << b->order)));
}

static unsigned char *chunk_new(void)
{
	unsigned char *bytes = sodium_malloc(CHUNK_SIZE);

	arena.fault = ENOMEM;
	arena.unlocked = false;
	if (!bytes)
		return NULL;
	/* sodium_malloc did it, and keeps to itself whether it could: locked again, it tells. */
	if (sodium_mlock(bytes, CHUNK_SIZE)) {
		arena.fault = errno;
		arena.unlocked = true;
		sodium_free(bytes);
		return NULL;
	}
	memset(bytes, 0, CHUNK_SIZE);
	return bytes;
}

static bool chunk_add(void)
{
	unsigned char *bytes = arena.n_chunks < CHUNKS_MAX ? chunk_new() : NULL;
	struct block *b = (struct block *)bytes;
	uint16_t i = 0;

	if (!bytes)
		return false;
	while (!arena.canary)
		randombytes_buf(&arena.canary, sizeof(arena.canary));
	while (arena.chunks[i])
		i++;
	arena.chunks[i] = bytes;
	arena.n_chunks++;
	b->chunk = i;
	b->order = CHUNK_ORDER;
	list_add(b);
	return true;
}

static void chunk_drop(struct block *b)
{
	unsigned char **slot = &arena.chunks[b->chunk];

	list_remove(b);
	ASAN_UNPOISON_MEMORY_REGION(*slot, CHUNK_SIZE);
	sodium_free(*slot);
	*slot = NULL;
	arena.n_chunks--;
}

/* A free block of this order, cut from a larger one where there is none. */
static struct block *block_take(unsigned order)
{
	unsigned from = order;

	while (from <= CHUNK_ORDER && !arena.free[from])
		from++;
	if (from > CHUNK_ORDER)
		return NULL;
	struct block *b = &arena.free[from]->head;
	list_remove(b);
	while (b->order > order) {
		struct block *half;

		b->order--;
		half = buddy_of(b);
		half->chunk = b->chunk;
		half->order = b->order;
		list_add(half);
	}
	return b;
}

static void block_release(struct block *b)
{
	while (b->order < CHUNK_ORDER) {
		struct block *buddy = buddy_of(b), *upper = buddy > b ? buddy : b;

		if (buddy->mark != mark_of(buddy, false) || buddy->order != b->order)
			break;
		list_remove(buddy);
		b = buddy < b ? buddy : b;
		sodium_memzero(upper, sizeof(struct free_block));
		b->order++;
	}
	list_add(b);
	if (b->order == CHUNK_ORDER && arena.n_chunks > 1)
		chunk_drop(b);
}

static unsigned char *tail_of(struct block *b)
{
	return (unsigned char *)(b + 1) + b->size;
}

static void block_seal(struct block *b, size_t size)
{
	unsigned char *bytes = (unsigned char *)(b + 1);

	b->mark = mark_of(b, true);
	b->size = (uint32_t)size;
	memset(bytes, 0, size);
	memcpy(tail_of(b), &b->mark, sizeof(b->mark));
	ASAN_POISON_MEMORY_REGION(tail_of(b), ((size_t)1 << b->order) - sizeof(*b) - size);
}

void *arena_alloc(size_t size)
{
	unsigned order = ORDER_MIN;
	struct block *b;

	if (size >= ARENA_SIZE_MAX)
		return NULL;
	while ((size_t)1 << order < size + sizeof(*b) + sizeof(b->mark))
		order++;
	pthread_mutex_lock(&arena.lock);
	b = block_take(order);
	if (!b && chunk_add())
		b = block_take(order);
	if (b)
		block_seal(b, size);
	pthread_mutex_unlock(&arena.lock);
	return b ? b + 1 : NULL;
}

void arena_free(void *bytes)
{
	struct block *b = bytes;

	if (!b)
		return;
	b--;
	pthread_mutex_lock(&arena.lock);
	if (b->mark != mark_of(b, true))
		abort();
	ASAN_UNPOISON_MEMORY_REGION(b, (size_t)1 << b->order);
	if (memcmp(tail_of(b), &b->mark, sizeof(b->mark)))
		abort();
	sodium_memzero(bytes, b->size + sizeof(b->mark));
	b->size = 0;
	block_release(b);
	pthread_mutex_unlock(&arena.lock);
}

void arena_explain(char *err, size_t err_size)
{
	struct rlimit limit;

	pthread_mutex_lock(&arena.lock);
	size_t need = (arena.n_chunks + 1) * chunk_locked();
	bool unlocked = arena.unlocked;
	int fault = arena.fault;
	pthread_mutex_unlock(&arena.lock);
	if (unlocked && !getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_cur < need)
		snprintf(err, err_size,
			 "secrets need %zu KiB of locked memory, and %llu KiB are allowed: raise "
			 "LimitMEMLOCK= of gwd.service, or \"ulimit -l\" of the shell",
			 need >> 10, (unsigned long long)limit.rlim_cur >> 10);
	else
		snprintf(err, err_size, "%s: %s",
			 unlocked ? "memory for secrets cannot be locked" : "no memory for secrets",
			 strerror(fault));
}

size_t arena_locked(void)
{
	pthread_mutex_lock(&arena.lock);
	size_t bytes = arena.n_chunks * chunk_locked();
	pthread_mutex_unlock(&arena.lock);
	return bytes;
}
