/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What computing with secrets leaves on the stack: nothing, not 8 bytes of one. Each function runs in a thread whose stack is ours
 * to look at; that the look finds what is there is tried first.
 */
#include <pthread.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/key.h"
#include "lib/seal.h"
#include "lib/secret.h"

#define STACK_SIZE (1 << 20)
#define CANARY "GWDCANARY-4f1c9a77e2b05d63f8a6c2"
#define WORD 8 /* a register's worth */

static unsigned char *stack;
static struct secret *canary, *pem;
static char err[512], key_file[64], public_text[KEY_PUBLIC_TEXT_SIZE], *sealed;
static unsigned char seed[32], scalar[64];

/* How many words of it lie on the stack. */
static size_t residue(const void *secret, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i + WORD <= size; i += WORD)
		n += memmem(stack, STACK_SIZE, (const char *)secret + i, WORD) != NULL;
	return n;
}

static void run(void *(*fn)(void *))
{
	pthread_attr_t attr;
	pthread_t thread;

	memset(stack, 0, STACK_SIZE);
	pthread_attr_init(&attr);
	assert_int_equal(pthread_attr_setstack(&attr, stack, STACK_SIZE), 0);
	assert_int_equal(pthread_create(&thread, &attr, fn, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attr);
}

static void *leave(void *user)
{
	volatile unsigned char copy[8192]; /* its beginning lies deep enough to stay */

	(void)user;
	for (size_t i = 0; i < canary->size; i++)
		copy[i] = canary->bytes[i];
	return copy[0] ? NULL : stack;
}

static void *digest(void *user)
{
	static unsigned char out[SECRET_DIGEST_SIZE];

	(void)user;
	secret_digest(canary->bytes, canary->size, out);
	return NULL;
}

static void *private_key(void *user)
{
	static unsigned char public[crypto_sign_PUBLICKEYBYTES];

	(void)user;
	secret_free(key_private_from_pem(pem, public, err, sizeof(err)));
	return NULL;
}

static void *public_key(void *user)
{
	static char text[KEY_PUBLIC_TEXT_SIZE];

	(void)user;
	key_public_from_pem(pem, text, err, sizeof(err));
	return NULL;
}

static void *seal(void *user)
{
	(void)user;
	sealed = seal_make(canary, public_text, err, sizeof(err));
	return NULL;
}

static void *open_sealed(void *user)
{
	static struct seal_opener opener;
	struct secret *s = NULL;

	(void)user;
	opener.key_file = key_file;
	if (seal_read(&opener, sealed, &s, err, sizeof(err)) || s->size != canary->size)
		abort();
	secret_free(s);
	seal_opener_done(&opener);
	return NULL;
}

static void nothing_left(void *(*fn)(void *))
{
	run(fn);
	assert_int_equal(residue(canary->bytes, canary->size), 0);
	assert_int_equal(residue(seed, sizeof(seed)), 0);
	assert_int_equal(residue(scalar, 32), 0);
}

static void test_look_finds(void **state)
{
	(void)state;
	run(leave);
	assert_int_equal(residue(canary->bytes, canary->size), canary->size / WORD);
}

static void test_digest(void **state)
{
	(void)state;
	nothing_left(digest);
}

static void test_keys(void **state)
{
	(void)state;
	nothing_left(private_key);
	nothing_left(public_key);
}

static void test_sealed(void **state)
{
	(void)state;
	nothing_left(seal);
	assert_non_null(sealed);
	nothing_left(open_sealed);
	free(sealed);
}

static int prepare(void **state)
{
	struct secret *private;
	unsigned char public[32];

	(void)state;
	stack = aligned_alloc(4096, STACK_SIZE);
	canary = secret_new(strlen(CANARY));
	pem = key_generate(public_text);
	strcpy(key_file, "/tmp/test_residue.XXXXXX");
	if (!stack || !canary || !pem || close(mkstemp(key_file)) || unlink(key_file) ||
	    secret_write_file(key_file, pem, err, sizeof(err)))
		return -1;
	memcpy(canary->bytes, CANARY, canary->size);
	private = key_private_from_pem(pem, public, err, sizeof(err));
	if (!private)
		return -1;
	memcpy(seed, private->bytes, sizeof(seed));
	secret_free(private);
	crypto_hash_sha512(scalar, seed, sizeof(seed));
	scalar[0] &= 248;
	scalar[31] = (unsigned char)((scalar[31] & 127) | 64);
	return 0;
}

static int end(void **state)
{
	(void)state;
	secret_free(canary);
	secret_free(pem);
	free(stack);
	return unlink(key_file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_look_finds),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_sealed),
	};

	return cmocka_run_group_tests(tests, prepare, end);
}
