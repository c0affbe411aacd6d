// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks before the start what gwd needs, so that a machine that lacks it gets one clear sentence and no half-made tunnel.
 * Entries: probe_kernel, probe_alone. GRE and ESP are asked for by requests the kernel must refuse: the way it refuses
 * tells whether it knows them (gre_link_probe, xfrm_sa_probe).
 */
#include "daemon/probe.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_NAME "gwd-gateway" /* abstract sockets belong to the network namespace */

static bool have_net_admin(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (syscall(SYS_capget, &header, data))
		return true; /* cannot tell: let the kernel say so later */
	return data[0].effective & (1u << CAP_NET_ADMIN);
}

int probe_kernel(struct gateway *gw, char *err, size_t err_size)
{
	int r = 0;

	if (!have_net_admin()) {
		snprintf(
			err, err_size,
			"gwd needs CAP_NET_ADMIN: run it as root, or give the unit AmbientCapabilities=CAP_NET_ADMIN");
		return -EPERM;
	}
	r = gre_link_probe(gw->rtnl);
	if (r) {
		snprintf(
			err, err_size,
			"this kernel has no GRE (%s): `modprobe ip_gre`, or install a kernel with CONFIG_NET_IPGRE (Debian: linux-image-amd64)",
			strerror(-r));
		return r;
	}
	r = xfrm_sa_probe(gw->xfrm);
	if (r)
		snprintf(
			err, err_size,
			"this kernel has no ESP (%s): `modprobe esp4`, or install a kernel with CONFIG_INET_ESP (Debian: linux-image-amd64)",
			strerror(-r));
	return r;
}

static void tell_other(int fd, const struct sockaddr_un *sa, socklen_t len, char *err,
		       size_t err_size)
{
	struct ucred cred = {0};
	socklen_t size = sizeof(cred);

	if (!connect(fd, (const struct sockaddr *)sa, len))
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size);
	snprintf(err, err_size, "another gwd runs in this network namespace (process %d)",
		 cred.pid);
}

int probe_alone(struct gateway *gw, char *err, size_t err_size)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	socklen_t len = offsetof(struct sockaddr_un, sun_path) + sizeof(LOCK_NAME);
	int r;

	memcpy(sa.sun_path + 1, LOCK_NAME, sizeof(LOCK_NAME) - 1);
	gw->lock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (gw->lock >= 0 && !bind(gw->lock, (struct sockaddr *)&sa, len) && !listen(gw->lock, 1))
		return 0;
	r = -errno;
	if (r == -EADDRINUSE)
		tell_other(gw->lock, &sa, len, err, err_size);
	else
		snprintf(err, err_size, "the lock of this network namespace: %s", strerror(-r));
	return r;
}
