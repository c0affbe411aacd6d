/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who gets a connection of the control socket when many want one. Pure; daemon/control.c asks at each accept.
 */
#ifndef GWD_DAEMON_CROWD_H
#define GWD_DAEMON_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CROWD_MAX 64 /* connections at once */
#define CROWD_OTHERS_MAX 48 /* of them for all but root, so that root always finds some */
#define CROWD_USER_MAX 16 /* for one user other than root */

/* One connection that is open; a list of them is in the order of their coming, oldest first. */
struct crowd_seat {
	uid_t uid;
	bool asked; /* its request has come whole */
};

enum crowd_answer {
	CROWD_WELCOME,
	CROWD_INSTEAD, /* of *victim, which is closed */
	CROWD_REFUSED,
};

/*
 * One more of uid's among the n open ones. Where there is no room the oldest that has not asked yet gives way: one of the
 * same user's, and for root anybody's. Nobody who has asked is ever closed. *victim is an index of seats.
 */
enum crowd_answer crowd_admit(const struct crowd_seat *seats, size_t n, uid_t uid, size_t *victim);

#endif
