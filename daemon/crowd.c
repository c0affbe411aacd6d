/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Room on the control socket (doc/CONTROL.md). Entry: crowd_admit, from daemon/control.c. Pure. A member of the group gwd
 * may open as many connections as it likes and say nothing on them; neither root nor another member shall wait for that.
 */
#include "daemon/crowd.h"

static size_t count_others(const struct crowd_seat *seats, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += seats[i].uid != 0;
	return count;
}

static size_t count_user(const struct crowd_seat *seats, size_t n, uid_t uid)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += seats[i].uid == uid;
	return count;
}

static bool has_room(const struct crowd_seat *seats, size_t n, uid_t uid)
{
	if (n >= CROWD_MAX)
		return false;
	return uid == 0 || (count_others(seats, n) < CROWD_OTHERS_MAX &&
			    count_user(seats, n, uid) < CROWD_USER_MAX);
}

enum crowd_answer crowd_admit(const struct crowd_seat *seats, size_t n, uid_t uid, size_t *victim)
{
	if (has_room(seats, n, uid))
		return CROWD_WELCOME;
	for (size_t i = 0; i < n; i++) {
		if (seats[i].asked || (uid != 0 && seats[i].uid != uid))
			continue;
		*victim = i;
		return CROWD_INSTEAD;
	}
	return CROWD_REFUSED;
}
