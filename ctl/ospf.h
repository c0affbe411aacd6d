/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What FRR knows of OSPF on the tunnels. */
#ifndef GWD_CTL_OSPF_H
#define GWD_CTL_OSPF_H

#include <jansson.h>

/*
 * Gives each tunnel of a status object that has OSPF neighbours the member "ospf": a list of
 * {"version": 2, "neighbour": "10.255.0.2", "state": "Full"}, version 2 or 3, the neighbour's address
 * or, for version 3, its router id. Nothing is changed where FRR (its sockets in dir) cannot be asked.
 */
void ospf_fill(json_t *status, const char *dir);

#endif
