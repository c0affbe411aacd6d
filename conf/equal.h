/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a reload changed a tunnel. Pure. */
#ifndef GWD_CONF_EQUAL_H
#define GWD_CONF_EQUAL_H

#include "conf/conf.h"

/* Every key is the same. */
bool conf_tunnel_equal(const struct conf_tunnel *a, const struct conf_tunnel *b);

/* The keys that name objects are the same: interface, endpoints, GRE key, protection, enabled. What differs then changes in place. */
bool conf_tunnel_same_objects(const struct conf_tunnel *a, const struct conf_tunnel *b);

/* The same `remote:`; it says nothing of the address in force. */
bool conf_remote_equal(const struct conf_remote *a, const struct conf_remote *b);

/* What concerns all tunnels is the same: identity, key, charon's socket. */
bool conf_gateway_equal(const struct conf *a, const struct conf *b);

#endif
