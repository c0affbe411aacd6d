/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the kernel back, and adds what charon is known to have: the "seen" side of a plan. */
#ifndef GWD_DAEMON_OBSERVE_H
#define GWD_DAEMON_OBSERVE_H

#include "daemon/gateway.h"

/*
 * Everything of ours and everything in the way of what is wanted; the guard, whose reading costs most, only when it is dirty
 * or was not whole. Also takes the SAs anew (daemon/sas.h) and, with them, each tunnel's pin. 0 or -errno; err then says what could not be read.
 */
int observe_all(struct gateway *gw, struct objects *out, char *err, size_t err_size);

/* The same for these tunnels only, with requests of their size; the guard is taken from the last reading unless it is dirty. */
int observe_some(struct gateway *gw, const int *only, size_t n, struct objects *out, char *err,
		 size_t err_size);

#endif
