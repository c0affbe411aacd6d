/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/arena.c: blocks keep apart, are wiped, guarded and locked, and there are none where nothing can be locked. */
#include "lib/arena.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define MANY 10000
#define CHUNK_LOCKED ((256u << 10) + (size_t)sysconf(_SC_PAGESIZE))

struct piece {
	unsigned char *bytes;
	size_t size;
	unsigned char fill;
};

/* ASan's does nothing; libsodium finds this one. */
int mlock(const void *at, size_t size)
{
	return (int)syscall(SYS_mlock, at, size);
}

static bool is_all(const unsigned char *bytes, size_t size, unsigned char value)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

/* Mostly small, as keys are. */
static size_t size_draw(void)
{
	uint32_t sort = randombytes_uniform(20);

	return sort == 0 ? randombytes_uniform(70000) : randombytes_uniform(sort < 5 ? 4000 : 90);
}

static void test_pieces_keep_apart(void **state)
{
	static struct piece pieces[300];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct piece *p = &pieces[randombytes_uniform(300)];

		if (p->bytes) {
			assert_true(is_all(p->bytes, p->size, p->fill));
			arena_free(p->bytes);
			p->bytes = NULL;
			continue;
		}
		p->size = size_draw();
		p->fill = (unsigned char)(1 + randombytes_uniform(255));
		p->bytes = arena_alloc(p->size);
		assert_non_null(p->bytes);
		assert_int_equal((uintptr_t)p->bytes % 16, 0);
		assert_true(is_all(p->bytes, p->size, 0));
		memset(p->bytes, p->fill, p->size);
	}
	for (size_t i = 0; i < 300; i++) {
		assert_true(!pieces[i].bytes ||
			    is_all(pieces[i].bytes, pieces[i].size, pieces[i].fill));
		arena_free(pieces[i].bytes);
	}
	/* all blocks have become one again, and one chunk is kept */
	assert_int_equal(arena_locked(), CHUNK_LOCKED);
	arena_free(NULL);
}

static void test_thousands(void **state)
{
	static void *keys[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		keys[i] = arena_alloc(44);
		assert_non_null(keys[i]);
	}
	assert_in_range(arena_locked(), MANY * 44, MANY * 160);
	for (size_t i = 0; i < MANY; i++)
		arena_free(keys[i]);
	assert_int_equal(arena_locked(), CHUNK_LOCKED);
}

static void test_sizes(void **state)
{
	void *one = arena_alloc(ARENA_SIZE_MAX - 1);

	(void)state;
	assert_non_null(one);
	arena_free(one);
	assert_null(arena_alloc(ARENA_SIZE_MAX));
	one = arena_alloc(0);
	assert_non_null(one);
	arena_free(one);
}

static void test_wiped(void **state)
{
	unsigned char *keeps_chunk = arena_alloc(1), *s = arena_alloc(3000);

	(void)state;
	memset(s, 0xab, 3000);
	arena_free(s);
	/* but for the links of the list of free blocks */
	assert_true(is_all(s + 16, 3000 - 16, 0));
	assert_false(is_all(s, 1, 0xab));
	arena_free(keeps_chunk);
}

/* The flags of the mapping that address is in (proc(5), smaps, VmFlags). */
static void flags_of(const void *address, char *flags, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long from, to;
	bool inside = false;
	char line[512];

	assert_non_null(f);
	*flags = '\0';
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= (uintptr_t)address && (uintptr_t)address < to;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			snprintf(flags, size, "%s", line);
	}
	fclose(f);
}

static void test_locked(void **state)
{
	void *s = arena_alloc(32);
	char flags[512];

	(void)state;
	flags_of(s, flags, sizeof(flags));
	assert_non_null(strstr(flags, " lo ")); /* locked */
	assert_non_null(strstr(flags, " dd ")); /* in no core */
	flags_of(&s, flags, sizeof(flags));
	assert_null(strstr(flags, " lo "));
	arena_free(s);
}

/* The signal that ended fn, run in another process; 0 when it came back. */
static int killed_by(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

__attribute__((no_sanitize_address)) static void poke(volatile unsigned char *at)
{
	*at ^= 1;
}

static void write_behind(void)
{
	unsigned char *s = arena_alloc(33);

	poke(s + 33);
	arena_free(s);
}

static void write_before(void)
{
	unsigned char *s = arena_alloc(33);

	poke(s - 9);
	arena_free(s);
}

static void free_twice(void)
{
	unsigned char *keeps_chunk = arena_alloc(33), *s = arena_alloc(33);

	arena_free(s);
	arena_free(s);
	arena_free(keeps_chunk);
}

static void leave_chunk(void)
{
	/* the whole chunk: its head is at the beginning */
	unsigned char *s = arena_alloc(ARENA_SIZE_MAX - 1);

	signal(SIGSEGV, SIG_DFL);
	poke(s - 16 + (256 << 10));
}

static void harmless(void)
{
	unsigned char *s = arena_alloc(33);

	poke(s + 32);
	arena_free(s);
}

static void test_damage_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(killed_by(harmless), 0);
	assert_int_equal(killed_by(write_behind), SIGABRT);
	assert_int_equal(killed_by(write_before), SIGABRT);
	assert_int_equal(killed_by(free_twice), SIGABRT);
	assert_int_equal(killed_by(leave_chunk), SIGSEGV);
}

/* Without CAP_IPC_LOCK, which lifts the limit. */
static void limit_set(rlim_t bytes)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};
	struct rlimit limit = {bytes, bytes};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || syscall(SYS_capset, &head, caps))
		_exit(100);
}

static void is_explained(size_t need_kib, size_t allowed_kib)
{
	char err[256], want[256];

	snprintf(want, sizeof(want),
		 "secrets need %zu KiB of locked memory, and %zu KiB are allowed: raise "
		 "LimitMEMLOCK= of gwd.service, or \"ulimit -l\" of the shell",
		 need_kib, allowed_kib);
	arena_explain(err, sizeof(err));
	if (!strcmp(err, want))
		return;
	fprintf(stderr, "%s\n", err);
	_exit(101);
}

static void nothing_allowed(void)
{
	limit_set(0);
	if (arena_locked() || arena_alloc(32))
		_exit(102);
	is_explained(CHUNK_LOCKED >> 10, 0);
}

static void one_chunk_allowed(void)
{
	limit_set(300 << 10);
	/* of which a chunk has two */
	unsigned char *first = arena_alloc(100000), *second = arena_alloc(100000);

	if (!first || !second)
		_exit(103);
	memset(first, 7, 100000);
	if (arena_alloc(32))
		_exit(104);
	is_explained(2 * CHUNK_LOCKED >> 10, 300);
	/* what there is can be used on */
	arena_free(second);
	if (!arena_alloc(32) || arena_alloc(100000) || !is_all(first, 100000, 7))
		_exit(105);
}

static void test_fails_closed(void **state)
{
	(void)state;
	assert_int_equal(killed_by(nothing_allowed), 0);
	assert_int_equal(killed_by(one_chunk_allowed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fails_closed), /* before anything is locked */
		cmocka_unit_test(test_pieces_keep_apart),
		cmocka_unit_test(test_thousands),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_wiped),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_damage_ends_the_process),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
