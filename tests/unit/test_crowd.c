// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/crowd.c: who gets a connection of the control socket, who gives way, who is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/crowd.h"

#define ALICE 1000
#define BOB 1001

static struct crowd_seat seats[CROWD_MAX];
static size_t n;

/* count connections of uid come, which have asked, or not */
static void come(uid_t uid, size_t count, bool asked)
{
	while (count--)
		seats[n++] = (struct crowd_seat){uid, asked};
}

static int begin(void **state)
{
	(void)state;
	n = 0;
	return 0;
}

static void one_user_has_a_share(void **state)
{
	size_t victim = 99;

	(void)state;
	come(ALICE, CROWD_USER_MAX - 1, true);
	assert_int_equal(crowd_admit(seats, n, ALICE, &victim), CROWD_WELCOME);
	come(ALICE, 1, true);
	assert_int_equal(crowd_admit(seats, n, ALICE, &victim), CROWD_REFUSED);
	assert_int_equal(crowd_admit(seats, n, BOB, &victim), CROWD_WELCOME);
	assert_int_equal(victim, 99);
}

static void the_oldest_silent_one_gives_way(void **state)
{
	size_t victim = 99;

	(void)state;
	come(BOB, 3, false);
	come(ALICE, 2, true);
	come(ALICE, CROWD_USER_MAX - 2, false);
	assert_int_equal(crowd_admit(seats, n, ALICE, &victim), CROWD_INSTEAD);
	assert_int_equal(victim, 5); /* neither BOB's nor one that has asked */
}

static void root_finds_room(void **state)
{
	size_t victim;

	(void)state;
	for (uid_t uid = 1000; n < CROWD_OTHERS_MAX; uid++)
		come(uid, CROWD_USER_MAX, true);
	assert_int_equal(crowd_admit(seats, n, 2000, &victim), CROWD_REFUSED);
	for (size_t i = n; i < CROWD_MAX; i++) {
		assert_int_equal(crowd_admit(seats, n, 0, &victim), CROWD_WELCOME);
		come(0, 1, true);
	}
	assert_int_equal(crowd_admit(seats, n, 0, &victim), CROWD_REFUSED);
	seats[7].asked = false;
	assert_int_equal(crowd_admit(seats, n, 0, &victim), CROWD_INSTEAD);
	assert_int_equal(victim, 7);
}

static void root_has_no_share_of_its_own(void **state)
{
	size_t victim = 99;

	(void)state;
	come(0, CROWD_MAX, false);
	assert_int_equal(crowd_admit(seats, n, 0, &victim), CROWD_INSTEAD);
	assert_int_equal(victim, 0);
	assert_int_equal(crowd_admit(seats, n, ALICE, &victim), CROWD_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_user_has_a_share, begin),
		cmocka_unit_test_setup(the_oldest_silent_one_gives_way, begin),
		cmocka_unit_test_setup(root_finds_room, begin),
		cmocka_unit_test_setup(root_has_no_share_of_its_own, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
