// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket, bound and listening. Entry: listen_open, from daemon/control.c, which accepts on it. unix(7): who may connect is
 * decided by the mode of the socket's file.
 */
#include "daemon/listen.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/protocol.h"

/* In gwd.service the folder is another's, see dist/gwd.tmpfiles. */
static void listen_explain(const char *run_dir, const char *path, int r, char *err, size_t err_size)
{
	bool folder = r == -EACCES || r == -ENOENT || r == -EROFS || r == -EADDRINUSE;

	if (folder && geteuid() != 0)
		snprintf(err, err_size,
			 "control socket %s: %s: `systemd-tmpfiles --create gwd.conf` makes the folder "
			 "%s as it must be: of root and the group gwd-vici, mode 775",
			 path, strerror(-r), run_dir);
	else
		snprintf(err, err_size, "control socket %s: %s", path, strerror(-r));
}

/* Made under a tight umask; then opened to the group gwd where there is one. */
int listen_open(const char *run_dir, const char *path, char *err, size_t err_size)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int made = mkdir(run_dir, 0755);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t before = umask(0177);
	struct group *group = getgrnam(PROTOCOL_GROUP);
	int r = fd < 0 ? -errno : 0;

	(void)made; /* what is wrong with the folder bind tells */
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (!r && unlink(path) && errno != ENOENT)
		r = -errno;
	if (!r && bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		r = -errno;
	umask(before);
	/* In gwd.service the group is ours, and there is no CAP_CHOWN. */
	if (!r && group && group->gr_gid != getegid() && chown(path, (uid_t)-1, group->gr_gid))
		r = -errno;
	if (!r && group && chmod(path, 0660))
		r = -errno;
	if (!r && listen(fd, SOMAXCONN))
		r = -errno;
	if (!r)
		return fd;
	listen_explain(run_dir, path, r, err, err_size);
	if (fd >= 0)
		close(fd);
	return r;
}
