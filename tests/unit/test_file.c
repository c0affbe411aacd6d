/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lib/file.c: a file is there whole or not at all, whichever of its system calls fails or is the last before a kill. The calls are
 * caught here: the linker prefers these functions to the C library's.
 */
#include "lib/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define SIZE 300
#define PART 128 /* a write takes no more at once */

static struct {
	int step, fail_at; /* 0: nothing fails */
	int error; /* 0: killed */
	bool nameless, renames; /* what the file system can */
} io;

static char folder[64], path[96];
static unsigned char content[SIZE];

/* 0 to go on, -1 with errno. */
static int io_step(void)
{
	if (++io.step != io.fail_at)
		return 0;
	if (!io.error)
		kill(getpid(), SIGKILL);
	errno = io.error;
	return -1;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	if (io_step())
		return -1;
	return syscall(SYS_write, fd, bytes, size < PART ? size : PART);
}

int fsync(int fd)
{
	return io_step() ? -1 : (int)syscall(SYS_fsync, fd);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return io_step() ? -1 : (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

int link(const char *from, const char *to)
{
	return io_step() ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	if (io_step())
		return -1;
	if (!io.renames && flags) {
		errno = EINVAL;
		return -1;
	}
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int openat(int dir, const char *name, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	mode_t mode = va_arg(args, mode_t);
	va_end(args);
	if (io_step())
		return -1;
	if (!io.nameless) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return (int)syscall(SYS_openat, dir, name, flags, mode);
}

static int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_file.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/key", folder);
	memset(content, 'k', sizeof(content));
	return 0;
}

/* Empties the folder and counts what was in it besides the file: *others. Tells whether the file was there; it is whole then. */
static bool folder_take(int *others)
{
	DIR *dir = opendir(folder);
	const struct dirent *e;
	bool there = false;

	*others = 0;
	assert_non_null(dir);
	while ((e = readdir(dir))) {
		char name[400];
		struct stat st;

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", folder, e->d_name);
		assert_int_equal(lstat(name, &st), 0);
		if (strcmp(e->d_name, "key")) {
			++*others;
		} else {
			there = true;
			assert_int_equal(st.st_size, SIZE);
			assert_int_equal(st.st_mode, S_IFREG | 0600);
		}
		assert_int_equal(unlink(name), 0);
	}
	closedir(dir);
	return there;
}

static int folder_remove(void **state)
{
	int others;

	(void)state;
	folder_take(&others);
	return rmdir(folder);
}

static int write_with(int fail_at, int error)
{
	io.step = 0;
	io.fail_at = fail_at;
	io.error = error;
	return file_write_new(path, content, sizeof(content));
}

/* How many steps it takes when all goes well. */
static int steps_of(bool nameless, bool renames)
{
	int others;

	io.nameless = nameless;
	io.renames = renames;
	assert_int_equal(write_with(0, 0), 0);
	assert_true(folder_take(&others));
	assert_int_equal(others, 0);
	return io.step;
}

static void fail_at_each(bool nameless, bool renames)
{
	static const int errors[] = {ENOSPC, EIO, EROFS, EDQUOT};
	int steps = steps_of(nameless, renames), others, failed = 0;

	for (int at = 1; at <= steps; at++) {
		for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
			int rc = write_with(at, errors[e]);

			assert_true(rc == 0 || rc == -errors[e]);
			assert_int_equal(folder_take(&others), rc == 0);
			assert_int_equal(others, 0);
			failed += rc != 0;
		}
	}
	assert_true(failed >= (steps - 1) * 4);
}

static void test_each_failure(void **state)
{
	(void)state;
	/* open, three writes, sync, link, sync of the folder */
	assert_int_equal(steps_of(true, true), 7);
	fail_at_each(true, true);
	fail_at_each(false, true);
	fail_at_each(false, false);
}

static void kill_at_each(bool nameless, bool renames, int leftovers_max)
{
	int steps = steps_of(nameless, renames), others, status;

	for (int at = 1; at <= steps; at++) {
		pid_t pid = fork();

		if (pid == 0) {
			write_with(at, 0);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		folder_take(&others);
		assert_in_range(others, 0, leftovers_max);
	}
}

static void test_each_kill(void **state)
{
	(void)state;
	kill_at_each(true, true, 0);
	kill_at_each(false, true, 1);
	kill_at_each(false, false, 1);
}

/* Where nothing can be known of its name, as without /proc, it is written beside. */
static void test_no_link(void **state)
{
	int others;

	(void)state;
	io.nameless = io.renames = true;
	assert_int_equal(write_with(6, ENOENT), 0);
	assert_true(folder_take(&others));
	assert_int_equal(others, 0);
}

static void test_interrupted(void **state)
{
	int others;

	(void)state;
	io.nameless = io.renames = true;
	assert_int_equal(write_with(3, EINTR), 0);
	assert_true(folder_take(&others));
	/* some file systems cannot sync a folder */
	assert_int_equal(write_with(7, EINVAL), 0);
	assert_true(folder_take(&others));
}

static void exists(bool nameless, bool renames)
{
	static const char before[] = "somebody else's";
	char back[64] = "";
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	io.fail_at = 0;
	io.nameless = nameless;
	io.renames = renames;
	assert_int_equal(write(fd, before, sizeof(before)), sizeof(before));
	close(fd);
	assert_int_equal(write_with(0, 0), -EEXIST);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, back, sizeof(back)), sizeof(before));
	close(fd);
	assert_string_equal(back, before);
	assert_int_equal(unlink(path), 0);
}

static void test_exists(void **state)
{
	int others;

	(void)state;
	exists(true, true);
	exists(false, true);
	exists(false, false);
	/* it came while ours was written */
	assert_int_equal(write_with(6, EEXIST), -EEXIST);
	assert_false(folder_take(&others));
	assert_int_equal(symlink("/tmp/test_file.nowhere", path), 0);
	assert_int_equal(write_with(0, 0), -EEXIST);
	assert_int_equal(unlink(path), 0);
}

static void test_folder(void **state)
{
	char long_path[5000], absent[128];

	(void)state;
	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_equal(file_write_new(long_path, content, SIZE), -ENAMETOOLONG);
	snprintf(absent, sizeof(absent), "%s/absent/key", folder);
	assert_int_equal(file_write_new(absent, content, SIZE), -ENOENT);
	assert_int_equal(file_sync_entry(absent), -ENOENT);
	io.fail_at = 0;
	assert_int_equal(file_sync_entry(path), 0);
	io.step = 0;
	io.fail_at = 1;
	io.error = EIO;
	assert_int_equal(file_sync_entry(path), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_failure, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(test_each_kill, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(test_no_link, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(test_interrupted, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(test_exists, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(test_folder, folder_make, folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
