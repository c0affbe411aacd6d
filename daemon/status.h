/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status object of doc/CONTROL.md. */
#ifndef GWD_DAEMON_STATUS_H
#define GWD_DAEMON_STATUS_H

#include "daemon/control.h"

/* Of all tunnels, or of one (t), with what charon told of it (sas may be NULL). New reference. */
json_t *status_json(struct gateway *gw, const struct tunnel *t, const struct ike_sa *sas,
		    size_t n_sas);

/* 0, or 2 when a tunnel is not as wanted. */
int status_exit(const struct gateway *gw, const struct tunnel *t);

/* Asks charon for the tunnel's SAs, then answers the client; without charon it answers at once. */
void status_ask(struct control_client *c, struct tunnel *t);

#endif
