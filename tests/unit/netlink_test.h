/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of netlink code share: a fresh network namespace, a batch's outcome, and mauled messages. */
#ifndef GWD_TESTS_UNIT_NETLINK_TEST_H
#define GWD_TESTS_UNIT_NETLINK_TEST_H

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/nl.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define OUTCOME_MAX 512

struct outcome {
	size_t n;
	int err[OUTCOME_MAX];
	char text[OUTCOME_MAX][64];
};

/* Skips the test where no namespace of its own may be made. The test's process lives in it from then on. */
static inline void own_network(void)
{
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		skip();
}

static inline void outcome_note(void *user, size_t index, int err, const char *text)
{
	struct outcome *o = user;

	assert_int_equal(index, o->n);
	assert_true(o->n < OUTCOME_MAX);
	o->err[o->n] = err;
	snprintf(o->text[o->n], sizeof(o->text[0]), "%s", text);
	o->n++;
}

/* Sends, frees, and gives the first error of a message. */
static inline int batch_outcome(struct nl *nl, struct nl_batch *b)
{
	static struct outcome o;

	o.n = 0;
	assert_int_equal(nl_batch_send(nl, b, outcome_note, &o), 0);
	assert_int_equal(o.n, nl_batch_len(b));
	nl_batch_free(b);
	for (size_t i = 0; i < o.n; i++)
		if (o.err[i])
			return o.err[i];
	return 0;
}

typedef bool (*maul_parse)(const struct nlmsghdr *nlh);

static inline bool maul_one(const struct nlmsghdr *nlh, size_t size, size_t at, uint8_t mask,
			    maul_parse parse)
{
	struct nlmsghdr *copy = malloc(
		size); /* exactly, so that the sanitizer sees a byte too far */
	bool good;

	assert_non_null(copy);
	memcpy(copy, nlh, size);
	copy->nlmsg_len = (uint32_t)size;
	if (at)
		((uint8_t *)copy)[at] ^= mask;
	good = parse(copy);
	free(copy);
	return good;
}

/* Every length below the body's is refused; every other length and every changed byte does no harm. */
static inline void message_maul(const struct nlmsghdr *nlh, size_t body, maul_parse parse)
{
	static const uint8_t masks[] = {0xff, 0x01, 0x04, 0x80};

	assert_true(maul_one(nlh, nlh->nlmsg_len, 0, 0, parse));
	for (size_t n = MNL_NLMSG_HDRLEN; n < nlh->nlmsg_len; n++) {
		bool good = maul_one(nlh, n, 0, 0, parse);

		if (n < MNL_NLMSG_HDRLEN + body)
			assert_false(good);
	}
	for (size_t at = MNL_NLMSG_HDRLEN; at < nlh->nlmsg_len; at++)
		for (size_t m = 0; m < sizeof(masks); m++)
			maul_one(nlh, nlh->nlmsg_len, at, masks[m], parse);
}

#endif
