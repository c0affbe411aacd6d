/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From its first reconcile on gwd can do little but speak with the kernel, charon, gwctl and name servers: a filter of
 * system calls (seccomp(2)) for all its threads, whoever started it and as whom.
 */
#ifndef GWD_DAEMON_SANDBOX_H
#define GWD_DAEMON_SANDBOX_H

#include <stddef.h>

/*
 * Puts the filter in force. 0, also where there is none: in a build with a sanitizer, whose run-time needs more, and in
 * a kernel without seccomp (a warning). -errno and a sentence in err when it could not be.
 */
int sandbox_enter(char *err, size_t err_size);

/* The filter itself, without exception and in every build. 0 or -errno. For tests. */
int sandbox_load(void);

#endif
