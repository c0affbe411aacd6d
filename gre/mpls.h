/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a link takes labelled packets (MPLS, RFC 3032; over GRE RFC 4023). The kernel tells by netconf messages, and takes it
 * by /proc/sys/net/mpls/conf/LINK/input only (kernel net/mpls/af_mpls.c); both exist while mpls_router is loaded.
 */
#ifndef GWD_GRE_MPLS_H
#define GWD_GRE_MPLS_H

#include "gre/link.h"
#include "lib/nl.h"

/* Sets mpls of each link that was seen, by its ifindex; false for all when the kernel has no MPLS. 0 or -errno. */
int gre_mpls_read(struct nl *nl, struct gre_link *links, size_t n);
/* The same for one link. */
int gre_mpls_read_one(struct nl *nl, struct gre_link *link);

/* -ENOENT when the kernel has no MPLS; switching off is no error then. */
int gre_mpls_set(const char *link, bool on);

#endif
