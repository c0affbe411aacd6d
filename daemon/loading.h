/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What charon has loaded of ours, by name and digest; and the loading itself (charon_load_*, charon_unload_* of charon.h). */
#ifndef GWD_DAEMON_LOADING_H
#define GWD_DAEMON_LOADING_H

#include "daemon/gateway.h"

/* A new session, or none: nothing is known. */
void loading_forget(struct gateway *gw);

/* The answer to get-conns: what is not listed any more was unloaded by somebody. */
void loading_take_conns(struct gateway *gw, const struct ike_msg *answer);

#endif
