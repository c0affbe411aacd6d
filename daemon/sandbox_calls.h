/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system calls of daemon/sandbox.c for which no argument matters. */
#ifndef GWD_DAEMON_SANDBOX_CALLS_H
#define GWD_DAEMON_SANDBOX_CALLS_H

#include <limits.h>

#define SANDBOX_END INT_MIN

/* Numbers as of SCMP_SYS, up to SANDBOX_END. */
extern const int sandbox_allowed[];
extern const int sandbox_deadly[];

#endif
