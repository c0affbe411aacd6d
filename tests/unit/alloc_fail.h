/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that runs out when told: malloc and its kin for the whole test program, its libraries
 * too (an executable's symbols win over a library's, ld.so(8)), over those of glibc, or of
 * AddressSanitizer where that is on. For one source file of a program. Entry: alloc_each.
 *
 * Only the thread that arms fails. What a failure loses shows in the number of live blocks; but
 * what libraries lose when their own memory runs out is theirs, and not counted.
 */
#ifndef GWD_TESTS_UNIT_ALLOC_FAIL_H
#define GWD_TESTS_UNIT_ALLOC_FAIL_H

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#define ALLOC_BELOW(name) __interceptor_##name
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALLOC_BELOW(name) __interceptor_##name
#endif
#endif
#ifndef ALLOC_BELOW
#define ALLOC_BELOW(name) __libc_##name
#endif

void *ALLOC_BELOW(malloc)(size_t size);
void *ALLOC_BELOW(calloc)(size_t n, size_t size);
void *ALLOC_BELOW(realloc)(void *at, size_t size);
void ALLOC_BELOW(free)(void *at);

#define ALLOC_EACH_MAX 100000 /* allocations of one attempt; more is a loop without end */

enum alloc_mode {
	ALLOC_ONE, /* our n-th fails, made by us, or by libjansson for us */
	ALLOC_REST, /* our n-th and all of ours behind it fail */
	ALLOC_LIBRARY, /* the n-th of any other library fails */
};

static __thread bool alloc_armed;
static unsigned long alloc_seen, alloc_fail_at;
static enum alloc_mode alloc_mode;
static atomic_long alloc_live;

/* Where the code of those is that allocate for us. */
struct alloc_range {
	uintptr_t from, to;
};
static struct alloc_range alloc_ours[2];
static size_t alloc_n_ours;

static int alloc_module(struct dl_phdr_info *info, size_t size, void *user)
{
	bool ours = !*info->dlpi_name || strstr(info->dlpi_name, "/libjansson");

	(void)size, (void)user;
	for (size_t i = 0; ours && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && p->p_flags & PF_X && alloc_n_ours < 2)
			alloc_ours[alloc_n_ours++] = (struct alloc_range){
				.from = info->dlpi_addr + p->p_vaddr,
				.to = info->dlpi_addr + p->p_vaddr + p->p_memsz,
			};
	}
	return 0;
}

static bool alloc_is_ours(const void *caller)
{
	for (size_t i = 0; i < alloc_n_ours; i++)
		if ((uintptr_t)caller >= alloc_ours[i].from && (uintptr_t)caller < alloc_ours[i].to)
			return true;
	return false;
}

static bool alloc_fails(const void *caller)
{
	if (!alloc_armed || alloc_is_ours(caller) == (alloc_mode == ALLOC_LIBRARY))
		return false;
	alloc_seen++;
	if (alloc_mode != ALLOC_REST ? alloc_seen != alloc_fail_at : alloc_seen < alloc_fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

static void *alloc_note(void *at)
{
	if (at)
		atomic_fetch_add(&alloc_live, 1);
	return at;
}

static void *alloc_get(size_t size, const void *caller)
{
	return alloc_fails(caller) ? NULL : alloc_note(ALLOC_BELOW(malloc)(size));
}

void *malloc(size_t size)
{
	return alloc_get(size, __builtin_return_address(0));
}

void *calloc(size_t n, size_t size)
{
	if (alloc_fails(__builtin_return_address(0)))
		return NULL;
	return alloc_note(ALLOC_BELOW(calloc)(n, size));
}

void free(void *at)
{
	if (at)
		atomic_fetch_sub(&alloc_live, 1);
	ALLOC_BELOW(free)(at);
}

static void *alloc_resize(void *at, size_t size, const void *caller)
{
	if (!at)
		return alloc_get(size, caller);
	if (!size) {
		free(at);
		return NULL;
	}
	return alloc_fails(caller) ? NULL : ALLOC_BELOW(realloc)(at, size);
}

void *realloc(void *at, size_t size)
{
	return alloc_resize(at, size, __builtin_return_address(0));
}

void *reallocarray(void *at, size_t n, size_t size)
{
	size_t bytes;

	if (!__builtin_mul_overflow(n, size, &bytes))
		return alloc_resize(at, bytes, __builtin_return_address(0));
	errno = ENOMEM;
	return NULL;
}

static char *alloc_copy(const char *text, size_t n, const void *caller)
{
	char *copy = alloc_get(n + 1, caller);

	if (!copy)
		return NULL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	return copy;
}

char *strndup(const char *text, size_t max)
{
	return alloc_copy(text, strnlen(text, max), __builtin_return_address(0));
}

char *strdup(const char *text)
{
	return alloc_copy(text, strlen(text), __builtin_return_address(0));
}

static int alloc_print(char **out, const char *format, va_list args, const void *caller)
{
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	*out = n < 0 ? NULL : alloc_get((size_t)n + 1, caller);
	if (*out)
		vsnprintf(*out, (size_t)n + 1, format, again);
	va_end(again);
	return *out ? n : -1;
}

int vasprintf(char **out, const char *format, va_list args)
{
	return alloc_print(out, format, args, __builtin_return_address(0));
}

int asprintf(char **out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = alloc_print(out, format, args, __builtin_return_address(0));
	va_end(args);
	return n;
}

/* From here to alloc_stop the n-th allocation of this thread fails; 0: none. */
static inline void alloc_start(unsigned long n, enum alloc_mode mode)
{
	if (!alloc_n_ours)
		dl_iterate_phdr(alloc_module, NULL);
	alloc_seen = 0;
	alloc_fail_at = n ? n : ~0ul;
	alloc_mode = mode;
	alloc_armed = true;
}

/* True when the failure came. */
static inline bool alloc_stop(void)
{
	alloc_armed = false;
	return alloc_seen >= alloc_fail_at;
}

typedef bool (*alloc_attempt)(void *user, unsigned long n, enum alloc_mode mode);

static inline unsigned long alloc_each_of(alloc_attempt attempt, void *user, enum alloc_mode mode)
{
	for (unsigned long n = 1; n < ALLOC_EACH_MAX; n++) {
		long before = atomic_load(&alloc_live), left;
		bool hit = attempt(user, n, mode);

		left = atomic_load(&alloc_live) - before;
		if (left && mode != ALLOC_LIBRARY)
			fail_msg("mode %d: failing allocation %lu leaves %ld blocks", mode, n,
				 left);
		if (!hit)
			return n - 1;
	}
	fail_msg("no end of allocations");
	return 0;
}

/*
 * Calls attempt with the n-th allocation of ours failing, for n = 1, 2, ... until none is left to
 * fail, alone and with all behind it. It arms by alloc_start(n, mode), returns what alloc_stop
 * said, asserts what must hold, and leaves no block; it is also called with n = 0, first. Returns
 * how many allocations failed.
 */
static inline unsigned long alloc_each(alloc_attempt attempt, void *user)
{
	attempt(user, 0, ALLOC_ONE); /* what libraries keep for good is made now */
	alloc_each_of(attempt, user, ALLOC_REST);
	return alloc_each_of(attempt, user, ALLOC_ONE);
}

#endif
