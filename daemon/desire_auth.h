/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of desire that is about authentication: secrets for charon, and what a connection says of them. Pure. */
#ifndef GWD_DAEMON_DESIRE_AUTH_H
#define GWD_DAEMON_DESIRE_AUTH_H

#include "daemon/desire.h"

/* Adds the secrets that are one tunnel's. 0 or -ENOMEM. */
int desire_auth_secrets(const struct desire_input *in, int i, struct objects *out);

/* Adds those of the gateway that some tunnel needs. 0 or -ENOMEM. */
int desire_auth_gateway(const struct desire_input *in, struct objects *out);

/* Fills what of the connection says how the ends authenticate; its pointers borrow from in. */
void desire_auth_conn(const struct desire_input *in, int i, struct ike_conn *c);

#endif
