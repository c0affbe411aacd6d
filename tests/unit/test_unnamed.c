/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon/unnamed.c: whose unnamed IKE_SA a line of charon's log is about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/unnamed.h"

static struct unnamed unnamed;

static bool take(uint32_t id, const char *text, struct addr *from)
{
	struct ike_event ev = {.kind = IKE_EVENT_LOG, .sa.uniqueid = id};

	snprintf(ev.text, sizeof(ev.text), "%s", text);
	return unnamed_take(&unnamed, &ev, from);
}

static void expect(uint32_t id, const char *text, const char *want)
{
	char address[ADDR_TEXT_SIZE];
	struct addr from;

	assert_int_equal(take(id, text, &from), want != NULL);
	if (want)
		assert_string_equal(addr_format(&from, address), want);
}

static void test_unnamed(void **state)
{
	(void)state;
	memset(&unnamed, 0, sizeof(unnamed));
	expect(7, "received proposals unacceptable", NULL);
	expect(7, "203.0.113.7 is initiating an IKE_SA", NULL);
	expect(8, "2001:db8::8 is initiating an IKE_SA", NULL);
	expect(7, "received proposals unacceptable", "203.0.113.7");
	expect(8, "no matching peer config found", "2001:db8::8");
	expect(9, "no matching peer config found", NULL);
	expect(0, "no matching peer config found", NULL);
}

static void test_malformed(void **state)
{
	(void)state;
	memset(&unnamed, 0, sizeof(unnamed));
	expect(7, "nobody is initiating an IKE_SA", NULL);
	expect(7, " is initiating an IKE_SA", NULL);
	expect(7, "203.0.113.7 is initiating an IKE_SA of sorts", NULL);
	expect(7, "203.0.113.7", NULL);
	for (char text[256] = "1"; strlen(text) < 200; strcat(text, "1 is initiating an IKE_SA"))
		expect(7, text, NULL);
	expect(7, "received proposals unacceptable", NULL);
}

/* The oldest are forgotten. */
static void test_many(void **state)
{
	char text[64];

	(void)state;
	memset(&unnamed, 0, sizeof(unnamed));
	for (uint32_t i = 1; i <= UNNAMED_MAX + 1; i++) {
		snprintf(text, sizeof(text), "192.0.2.%u is initiating an IKE_SA", i);
		expect(i, text, NULL);
	}
	expect(1, "received proposals unacceptable", NULL);
	expect(2, "received proposals unacceptable", "192.0.2.2");
	expect(UNNAMED_MAX + 1, "received proposals unacceptable", "192.0.2.65");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unnamed),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
