/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets in charon: what is there of ours, loading and unloading (charon_load_secret, charon_unload_secret of charon.h). */
#ifndef GWD_DAEMON_CREDENTIALS_H
#define GWD_DAEMON_CREDENTIALS_H

#include "daemon/gateway.h"

/* Answers to get-shared and get-keys: what is not listed any more was unloaded by somebody. */
void credentials_take_shared(struct gateway *gw, const struct ike_msg *answer);
void credentials_take_keys(struct gateway *gw, const struct ike_msg *answer);

/* Adds what charon has to the seen objects: all, or the gateway's and those one tunnel could have. 0 or -ENOMEM. */
int credentials_observe(const struct gateway *gw, struct objects *out);
int credentials_observe_gateway(const struct gateway *gw, struct objects *out);
int credentials_observe_tunnel(const struct gateway *gw, int tunnel, struct objects *out);

/* The tunnel's text for what charon refuses, and the time of the next try. */
void credentials_refused(struct tunnel *t, const char *err);

#endif
