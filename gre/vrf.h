/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VRFs (linux/if_link.h IFLA_VRF_*; the kernel's Documentation/networking/vrf.rst): which interface, which table. */
#ifndef GWD_GRE_VRF_H
#define GWD_GRE_VRF_H

#include <stdint.h>

#include "lib/nl.h"

struct gre_vrf {
	unsigned ifindex;
	uint32_t table;
};

/* -ENODEV when there is no interface of this name, -EMEDIUMTYPE when it is no VRF. */
int gre_vrf_get(struct nl *nl, const char *name, struct gre_vrf *out);

/* The index of any interface; -ENODEV. */
int gre_device_get(struct nl *nl, const char *name, unsigned *ifindex);

#endif
