/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's place in the file system, and who may open it. daemon/control.c asks once, at the start.
 */
#ifndef GWD_DAEMON_LISTEN_H
#define GWD_DAEMON_LISTEN_H

#include <stddef.h>

/* A listening, nonblocking stream socket at path, in run_dir, which is made where it is missing; what was at path goes. Mode 660 and
 * the group gwd where there is such a group, else 600. The descriptor is the caller's; -errno with a sentence in err. */
int listen_open(const char *run_dir, const char *path, char *err, size_t err_size);

#endif
