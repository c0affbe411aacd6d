// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory.so: the GWD_MEMORY-th allocation of the program it is preloaded into fails, with GWD_MEMORY_ALL set all behind it too, and the file
 * that GWD_MEMORY_HIT names is made by the first (tests/golden/memory.sh). Allocations of the program itself and of libjansson count, copies of text too; other
 * libraries' own, and what libc makes for them, do not. A program's calls come here, as ld.so(8) searches preloaded libraries first.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_RANGES 4

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *at, size_t size);

static struct {
	uintptr_t from, to;
} counted[N_RANGES];
static size_t n_counted;
static unsigned long seen, fail_at;
static bool all;

static int module_note(struct dl_phdr_info *info, size_t size, void *user)
{
	const char *name = info->dlpi_name;
	bool counts = !*name || strstr(name, "/libjansson");

	(void)size, (void)user;
	for (size_t i = 0; counts && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || n_counted == N_RANGES)
			continue;
		counted[n_counted].from = info->dlpi_addr + p->p_vaddr;
		counted[n_counted++].to = info->dlpi_addr + p->p_vaddr + p->p_memsz;
	}
	return 0;
}

/* Before main; until then nothing counts. */
__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("GWD_MEMORY");

	dl_iterate_phdr(module_note, NULL);
	all = getenv("GWD_MEMORY_ALL");
	fail_at = at ? strtoul(at, NULL, 10) : 0;
}

static void hit_note(void)
{
	const char *path = getenv("GWD_MEMORY_HIT");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd >= 0)
		close(fd);
}

static bool fails(const void *caller)
{
	bool counts = false;

	if (!fail_at)
		return false;
	for (size_t i = 0; i < n_counted; i++)
		counts |= (uintptr_t)caller >= counted[i].from && (uintptr_t)caller < counted[i].to;
	if (!counts)
		return false;
	seen++;
	if (seen == fail_at)
		hit_note();
	if (all ? seen < fail_at : seen != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *at, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(at, size);
}

static char *copy(const char *text, size_t len)
{
	char *to = __libc_malloc(len + 1);

	if (!to)
		return NULL;
	memcpy(to, text, len);
	to[len] = '\0';
	return to;
}

char *strdup(const char *text)
{
	return fails(__builtin_return_address(0)) ? NULL : copy(text, strlen(text));
}

char *strndup(const char *text, size_t len)
{
	return fails(__builtin_return_address(0)) ? NULL : copy(text, strnlen(text, len));
}

static int print(char **to, const char *format, va_list args)
{
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	*to = len < 0 ? NULL : __libc_malloc((size_t)len + 1);
	return *to ? vsnprintf(*to, (size_t)len + 1, format, args) : -1;
}

int vasprintf(char **to, const char *format, va_list args)
{
	return fails(__builtin_return_address(0)) ? -1 : print(to, format, args);
}

int asprintf(char **to, const char *format, ...)
{
	va_list args;
	int r = -1;

	va_start(args, format);
	if (!fails(__builtin_return_address(0)))
		r = print(to, format, args);
	va_end(args);
	return r;
}
