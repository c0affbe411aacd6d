/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A clock that is set, a charon that is there and verdicts that nobody gives, for tests that take charon's requests by the linker's
 * --wrap. For one source file of a program, whose calls the Makefile wraps.
 */
#ifndef GWD_TESTS_UNIT_WRAP_CHARON_H
#define GWD_TESTS_UNIT_WRAP_CHARON_H

#include "daemon/charon.h"
#include "daemon/reconcile.h"

static uint64_t now = 1000;

uint64_t __wrap_gateway_now(void);
uint64_t __wrap_gateway_now(void)
{
	return now;
}

bool __wrap_charon_connected(const struct gateway *g);
bool __wrap_charon_connected(const struct gateway *g)
{
	(void)g;
	return true;
}

void __wrap_reconcile_judge(struct tunnel *t);
void __wrap_reconcile_judge(struct tunnel *t)
{
	(void)t;
}

#endif
