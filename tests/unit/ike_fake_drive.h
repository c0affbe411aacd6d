/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session that is driven against the server of ike_fake.h. Included after cmocka. */
#ifndef GWD_TESTS_IKE_FAKE_DRIVE_H
#define GWD_TESTS_IKE_FAKE_DRIVE_H

#include "tests/unit/ike_drive.h"
#include "tests/unit/ike_fake.h"

static char folder[64], path[96];
static struct fake fake;

static int folder_make(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_ike.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/vici", folder);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void drive_start(struct drive *d)
{
	memset(d, 0, sizeof(*d));
	d->now = 1000000;
	d->state = IKE_SESSION_ABSENT;
	assert_int_equal(ike_session_new(&d->s, path, drive_state, drive_event, d), 0);
	assert_int_equal(ike_session_state(d->s), IKE_SESSION_ABSENT);
}

static void begin(struct drive *d, enum fake_mode mode)
{
	assert_true(fake_start(&fake, path, mode));
	drive_start(d);
	if (mode != FAKE_NO_CONFIRM)
		assert_true(drive_connect(d));
}

static void end(struct drive *d)
{
	ike_session_free(d->s);
	fake_stop(&fake);
}

#endif
