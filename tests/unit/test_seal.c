/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lib/seal.c: what is sealed opens with that key alone, also out of a file; damage is named and never opens.
 */
#include "lib/seal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/key.h"

#define SECRET "correct-horse-battery-staple"

static char err[600];

static struct secret *secret_of(const char *text)
{
	struct secret *s = secret_new(strlen(text));

	assert_non_null(s);
	memcpy(s->bytes, text, s->size);
	return s;
}

static char *seal(const char *public_text)
{
	struct secret *s = secret_of(SECRET);
	char *text = seal_make(s, public_text, err, sizeof(err));

	secret_free(s);
	assert_non_null(text);
	return text;
}

static int open_with(struct secret *key, const char *source)
{
	struct seal_opener opener = {.key = key};
	struct secret *s = NULL;
	int rc = seal_read(&opener, source, &s, err, sizeof(err));

	if (!rc) {
		assert_int_equal(s->size, strlen(SECRET));
		assert_memory_equal(s->bytes, SECRET, s->size);
	}
	secret_free(s);
	return rc;
}

static void opens_for_one_key(void **unused)
{
	char public_text[KEY_PUBLIC_TEXT_SIZE], other_text[KEY_PUBLIC_TEXT_SIZE];
	struct secret *key = key_generate(public_text), *other = key_generate(other_text);
	char *text = seal(public_text);

	(void)unused;
	assert_true(seal_is_sealed(text));
	assert_true(seal_check(text, err, sizeof(err)));
	assert_int_equal(open_with(key, text), 0);
	assert_int_equal(open_with(other, text), -EKEYREJECTED);
	free(text);
	secret_free(key);
	secret_free(other);
}

static void damage_does_not_open(void **unused)
{
	char public_text[KEY_PUBLIC_TEXT_SIZE];
	struct secret *key = key_generate(public_text);
	char *text = seal(public_text);
	size_t len = strlen(text), first = strlen(SEAL_PREFIX);

	(void)unused;
	for (size_t i = first; i < len; i++) {
		char was = text[i];
		text[i] = was == 'A' ? 'B' : 'A';
		int rc = open_with(key, text);
		assert_true(rc == -EKEYREJECTED || rc == -EINVAL);
		text[i] = was;
	}
	while (len > first) {
		text[--len] = '\0';
		assert_int_not_equal(open_with(key, text), 0);
	}
	assert_false(seal_check(text, err, sizeof(err)));
	free(text);
	secret_free(key);
}

static void opens_out_of_a_file(void **unused)
{
	char public_text[KEY_PUBLIC_TEXT_SIZE], path[] = "/tmp/gwd-seal.XXXXXX";
	struct secret *key = key_generate(public_text);
	char *text = seal(public_text);
	int fd = mkstemp(path);

	(void)unused;
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(write(fd, "\n", 1), 1);
	close(fd);
	assert_int_equal(open_with(key, path), 0);
	unlink(path);
	free(text);
	secret_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_for_one_key),
		cmocka_unit_test(damage_does_not_open),
		cmocka_unit_test(opens_out_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
