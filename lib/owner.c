/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To whom secret files belong, and why one cannot be opened; entry functions owner_is_good and owner_explain. gwd runs as a user
 * of its own without CAP_DAC_OVERRIDE, in a unit with a /tmp and /home of its own (dist/gwd.service), so what root may read is
 * not what gwd may read. Neighbours: lib/secret.c, lib/cert.c and conf/load.c, which open files.
 */
#include "lib/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/protocol.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool known;
static uid_t gwd_uid;

static void look_up(void)
{
	const struct passwd *user = getpwnam(PROTOCOL_USER);

	known = user != NULL;
	if (user)
		gwd_uid = user->pw_uid;
}

void owner_init(void)
{
	pthread_once(&once, look_up);
}

bool owner_gwd(uid_t *uid)
{
	owner_init();
	*uid = gwd_uid;
	return known;
}

bool owner_is_good(uid_t uid)
{
	uid_t gwd;

	return uid == 0 || uid == geteuid() || (owner_gwd(&gwd) && uid == gwd);
}

const char *owner_name(void)
{
	uid_t gwd;

	return owner_gwd(&gwd) ? PROTOCOL_USER : "root";
}

int owner_give(int fd)
{
	uid_t gwd;

	if (geteuid() != 0 || !owner_gwd(&gwd))
		return 0;
	return fchown(fd, gwd, (gid_t)-1) ? -errno : 0;
}

/* The first folder on the way to path that we may not enter; false when there is none. */
static bool folder_closed(const char *path, char *folder, size_t size)
{
	for (const char *c = path; (c = strchr(c, '/')); c++) {
		size_t len = c == path ? 1 : (size_t)(c - path);

		if (len >= size)
			return false;
		memcpy(folder, path, len);
		folder[len] = '\0';
		if (faccessat(AT_FDCWD, folder, X_OK, AT_EACCESS) && errno == EACCES)
			return true;
	}
	return false;
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

void owner_explain(const char *path, int err, bool secret, char *text, size_t size)
{
	char folder[PATH_MAX];
	uid_t gwd;

	if (!owner_gwd(&gwd) || geteuid() != gwd)
		snprintf(text, size, "%s", strerror(err));
	else if (err == ENOENT && (is_below(path, "/tmp") || is_below(path, "/var/tmp")))
		snprintf(text, size,
			 "gwd.service has a /tmp of its own, without it: put it into /etc/gwd");
	else if (err != EACCES)
		snprintf(text, size, "%s", strerror(err));
	else if (folder_closed(path, folder, sizeof(folder)))
		snprintf(text, size, "the user gwd may not enter %s: put it into /etc/gwd", folder);
	else
		snprintf(text, size, "the user gwd may not read it: %s %s",
			 secret ? "chown gwd" : "chmod a+r", path);
}
