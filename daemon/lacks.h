/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a connection asks of charon that the one which runs does not have. */
#ifndef GWD_DAEMON_LACKS_H
#define GWD_DAEMON_LACKS_H

#include "daemon/gateway.h"

/*
 * True with a sentence in why, to follow "charon here refuses the connection: ": the algorithm that it does not know and
 * what is near, or an option that its version has otherwise. 5.9.8 takes an IKE proposal of which it knows no part, and
 * tells nobody.
 */
bool lacks_conn(const struct gateway *gw, const struct ike_conn *c, char *why, size_t size);

#endif
