/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/secret.c: which files are read and which refused, writing without overwriting, digests. */
#include "lib/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], path[96], err[256];

static int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_secret.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/key", folder);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void file_make(const void *bytes, size_t size, mode_t mode)
{
	int fd;

	unlink(path); /* one that only may be read is not written again */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void test_init(void **state)
{
	struct rlimit core = {.rlim_max = 1};

	(void)state;
	assert_int_equal(secret_init(err, sizeof(err)), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_int_equal(core.rlim_max, 0);
	/* A leak checker at the end of the run has to look into us. */
	assert_int_equal(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), 0);
}

static void test_new_is_zero(void **state)
{
	struct secret *s = secret_new(100);

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->size, 100);
	for (size_t i = 0; i < s->size; i++)
		assert_int_equal(s->bytes[i], 0);
	secret_free(s);
	secret_free(NULL);
}

static void test_read(void **state)
{
	struct secret *s = NULL;

	(void)state;
	file_make("open\0sesame", 11, 0600);
	assert_int_equal(secret_read_file(path, &s, err, sizeof(err)), 0);
	assert_int_equal(s->size, 11);
	assert_memory_equal(s->bytes, "open\0sesame", 11);
	secret_free(s);
}

static void test_read_refused(void **state)
{
	static const struct {
		mode_t mode;
		int rc;
	} modes[] = {{0400, 0},	     {0600, 0},	     {0640, -EPERM}, {0604, -EPERM},
		     {0620, -EPERM}, {0602, -EPERM}, {0644, -EPERM}, {0700, 0}};
	struct secret *s = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		file_make("sesame", 6, modes[i].mode);
		assert_int_equal(secret_read_file(path, &s, err, sizeof(err)), modes[i].rc);
		if (modes[i].rc)
			assert_non_null(strstr(err, "chmod 600"));
		else
			secret_free(s);
	}
	file_make("", 0, 0600);
	assert_int_equal(secret_read_file(path, &s, err, sizeof(err)), -ENODATA);
	assert_int_equal(truncate(path, SECRET_MAX + 1), 0);
	assert_int_equal(secret_read_file(path, &s, err, sizeof(err)), -EFBIG);
	assert_int_equal(truncate(path, SECRET_MAX), 0);
	assert_int_equal(secret_read_file(path, &s, err, sizeof(err)), 0);
	secret_free(s);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(secret_read_file(path, &s, err, sizeof(err)), -ENOENT);
	assert_int_equal(secret_read_file(folder, &s, err, sizeof(err)), -EINVAL);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(secret_read_file(path, &s, err, sizeof(err)), -EINVAL);
}

static void test_read_foreign_owner(void **state)
{
	struct secret *s = NULL;

	(void)state;
	if (geteuid() != 0)
		skip();
	file_make("sesame", 6, 0600);
	assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
	assert_int_equal(secret_read_file(path, &s, err, sizeof(err)), -EPERM);
	assert_non_null(strstr(err, "another user"));
}

static void test_trim_newline(void **state)
{
	static const struct {
		const char *in, *out;
	} pairs[] = {{"psk\n", "psk"},	 {"psk\r\n", "psk"}, {"psk\n\n", "psk\n"}, {"psk", "psk"},
		     {"psk\r", "psk\r"}, {"\n", ""},	     {"\r\n", ""},	   {" \n", " "}};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct secret *s = secret_new(strlen(pairs[i].in));
		assert_non_null(s);
		memcpy(s->bytes, pairs[i].in, s->size);
		secret_trim_newline(s);
		assert_int_equal(s->size, strlen(pairs[i].out));
		assert_memory_equal(s->bytes, pairs[i].out, s->size);
		secret_free(s);
	}
}

static void test_write(void **state)
{
	struct secret *s = secret_new(6), *back = NULL;
	struct stat st;

	(void)state;
	memcpy(s->bytes, "sesame", 6);
	assert_int_equal(secret_write_file(path, s, err, sizeof(err)), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(secret_read_file(path, &back, err, sizeof(err)), 0);
	assert_memory_equal(back->bytes, "sesame", 6);
	memcpy(s->bytes, "change", 6);
	assert_int_equal(secret_write_file(path, s, err, sizeof(err)), -EEXIST);
	secret_free(back);
	assert_int_equal(secret_read_file(path, &back, err, sizeof(err)), 0);
	assert_memory_equal(back->bytes, "sesame", 6);
	secret_free(back);
	secret_free(s);
}

static void test_write_refused(void **state)
{
	struct secret *s = secret_new(6);
	char absent[128];

	(void)state;
	assert_int_equal(symlink("/tmp/test_secret.nowhere", path), 0);
	assert_int_equal(secret_write_file(path, s, err, sizeof(err)), -EEXIST);
	snprintf(absent, sizeof(absent), "%s/absent/key", folder);
	assert_int_equal(secret_write_file(absent, s, err, sizeof(err)), -ENOENT);
	assert_non_null(strstr(err, absent));
	secret_free(s);
}

static void test_digest(void **state)
{
	unsigned char a[SECRET_DIGEST_SIZE], b[SECRET_DIGEST_SIZE], c[SECRET_DIGEST_SIZE];

	(void)state;
	secret_digest("sesame", 6, a);
	secret_digest("sesame", 6, b);
	secret_digest("sesamf", 6, c);
	assert_memory_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, c, sizeof(a));
	secret_wipe(a, sizeof(a));
	assert_int_equal(a[0] | a[15] | a[31], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_new_is_zero),
		cmocka_unit_test_setup_teardown(test_read, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(test_read_refused, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(test_read_foreign_owner, folder_make,
						folder_remove),
		cmocka_unit_test(test_trim_newline),
		cmocka_unit_test_setup_teardown(test_write, folder_make, folder_remove),
		cmocka_unit_test_setup_teardown(test_write_refused, folder_make, folder_remove),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
